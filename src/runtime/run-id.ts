import { getRandomValues } from 'node:crypto';
import { V7Generator } from 'uuidv7';

// Asked for randomness a few words at a time, the system takes longer than all else that makes an id.
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

/** A new UUID of version 7 (RFC 9562): later ones of this process sort after it. */
export function newRunId(): string {
  return generator.generate().toString();
}
