import { getRandomValues } from 'node:crypto';
import { V7Generator } from 'uuidv7';

// Random words come in bulk: a system call for each id would take longer than everything else.
const random = new Uint32Array(4096);
let used = random.length;

const generator = new V7Generator({
  nextUint32() {
    if (used === random.length) {
      getRandomValues(random);
      used = 0;
    }
    const word = random[used] ?? 0;
    used += 1;
    return word;
  },
});

/** A new UUIDv7 (RFC 9562). Later ones of this process sort after it. */
export function newRunId(): string {
  return generator.generate().toString();
}
