import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { leastMemoryBytes, mostPerByte } from '../../src/config/least-memory.ts';
import { scanJson } from '../../src/runtime/body/json-scan.ts';
import { bodyMemory, valueMemory } from '../../src/runtime/memory/json-memory.ts';

const estimateOf = (bytes: Buffer): number => {
  const scan = scanJson(bytes);
  return scan === undefined ? 0 : bodyMemory(bytes, scan);
};

const heapScript = fileURLToPath(new URL('../support/json-heap.ts', import.meta.url));

interface Measured {
  readonly shape: string;
  readonly length: number;
  readonly estimate: number;
  readonly heapBytes: number;
}

t.test('bodyMemory is never less than what V8 takes for the value, whatever the shape of the body', (t) => {
  const output = execFileSync(process.execPath, ['--expose-gc', heapScript], { encoding: 'utf8' });
  for (const { shape, length, estimate, heapBytes } of JSON.parse(output) as Measured[]) {
    // Of the estimate, the bytes themselves and their text are outside of the value.
    t.ok(heapBytes < estimate - 2 * length, `${shape}: ${heapBytes} bytes of heap, ${estimate} estimated`);
    t.ok(estimate <= mostPerByte * length, `${shape} costs ${estimate / length} times its bytes`);
  }
  t.end();
});

t.test('no body costs more than a known multiple of its bytes', (t) => {
  const parts = fc.constantFrom(
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    '"',
    '"9":',
    '"":',
    '0',
    '-0',
    '"9"',
    '[]',
    '{}',
    'ā',
    ' ',
  );
  const text = fc.array(parts, { minLength: 1, maxLength: 60 }).map((all) => all.join(''));
  fc.assert(
    fc.property(text, (body) => {
      let isJson = true;
      try {
        JSON.parse(body);
      } catch {
        isJson = false;
      }
      const bytes = Buffer.from(body);
      return !isJson || estimateOf(bytes) <= mostPerByte * bytes.length;
    }),
  );
  for (const deep of ['{"":', '{"9":', '[', '[[],', '{"9":[],"8":', '[{"":0},', '["9",', '[-0,']) {
    const count = 32;
    const closing = [...deep.repeat(count)].filter((sign) => sign === '[' || sign === '{').reverse();
    const text = `${deep.repeat(count)}0${closing.map((sign) => (sign === '[' ? ']' : '}')).join('')}`;
    const bytes = Buffer.from(text);
    t.ok(estimateOf(bytes) <= mostPerByte * bytes.length, `${deep}… costs ${estimateOf(bytes) / bytes.length}`);
  }
  t.ok(leastMemoryBytes(1024) > 1024 * mostPerByte);
  t.end();
});

t.test('a usual body costs a small multiple of its bytes', (t) => {
  const order = { id: 'A-17', customer: { name: 'Jo Smith', plan: 'pro' }, lines: [{ sku: 'chair', count: 2 }] };
  const bytes = Buffer.from(JSON.stringify({ instruction: 'Please refund this order. '.repeat(8), order }));
  t.ok(estimateOf(bytes) < 10 * bytes.length, `${estimateOf(bytes) / bytes.length} times`);
  const text = Buffer.from(JSON.stringify({ instruction: 'x'.repeat(100_000) }));
  t.ok(estimateOf(text) < 4.1 * text.length);
  t.end();
});

t.test('valueMemory counts every value, and ends on a value that contains itself', (t) => {
  t.ok(valueMemory([[], [], []]) > 3 * valueMemory([]));
  t.ok(valueMemory({ a: 'x'.repeat(1000) }) > 1000);
  const circle: unknown[] = [];
  circle.push(circle);
  t.ok(valueMemory(circle) > 0);
  t.end();
});
