/** Prints what bodies of known shapes take on the heap once they are parsed, as JSON. Needs `--expose-gc`. */
import { scanJson } from '../../src/runtime/body/json-scan.ts';
import { bodyMemory } from '../../src/runtime/memory/json-memory.ts';

const size = 256 * 1024;
const copies = 3;

const base36 = (index: number): string => index.toString(36);

const shapes: Record<string, (index: number) => string> = {
  'empty arrays': () => '[]',
  'empty objects': () => '{}',
  'arrays in arrays': () => '['.repeat(60) + ']'.repeat(60),
  'empty objects in arrays': () => '[{}]',
  'objects in objects': () => `${'{"":'.repeat(60)}0${'}'.repeat(60)}`,
  'objects in objects by index': () => `${'{"99":'.repeat(60)}0${'}'.repeat(60)}`,
  'objects in objects by a low index': () => `${'{"9":'.repeat(60)}0${'}'.repeat(60)}`,
  integers: () => '0',
  fractions: () => '1.5',
  'fractions among strings': (index) => (index % 2 === 0 ? '-0' : '""'),
  'arrays of one fraction': () => '[1.5]',
  'objects with an index': () => '{"99":0}',
  'objects with a low index': () => '{"9":0}',
  'objects with two indices': () => '{"99":0,"1":0}',
  'objects of distinct names': (index) => `{"${base36(index)}a":0}`,
  'objects of distinct names and objects': (index) => `{"${base36(index)}a":{}}`,
  'short strings': (index) => `"${base36(index).padStart(3, 'x')}"`,
  'longer strings': (index) => `"${base36(index).padStart(13, 'x')}"`,
  'strings of two-byte characters': (index) => `"${base36(index)}ā"`,
};

const bodies = Object.entries(shapes).map(([shape, part]) => ({ shape, text: `{"a":[${repeated(part)}]}` }));
bodies.push({ shape: 'members of one object', text: `{${repeated((index) => `"${base36(index)}a":0`)}}` });
bodies.push({ shape: 'sparse members of one object', text: `{${repeated((index) => `"${index * 33}":0`)}}` });
bodies.push({ shape: 'one string', text: JSON.stringify({ a: 'x'.repeat(size) }) });
bodies.push({ shape: 'one string of two-byte characters', text: JSON.stringify({ a: `${'x'.repeat(size)}ā` }) });

console.log(
  JSON.stringify(
    bodies.map(({ shape, text }) => {
      const bytes = Buffer.from(text);
      const scan = scanJson(bytes);
      if (scan === undefined) throw new Error(`${shape} is nested too deep`);
      return { shape, length: bytes.length, estimate: bodyMemory(bytes, scan), heapBytes: heapBytesOf(text) };
    }),
  ),
);

function repeated(part: (index: number) => string): string {
  const parts: string[] = [];
  for (let length = 0, index = 0; length < size; index += 1) {
    const next = part(index);
    parts.push(next);
    length += next.length + 1;
  }
  return parts.join(',');
}

/** Of one value, as the mean of several: the garbage collector leaves a little. */
function heapBytesOf(text: string): number {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const values = Array.from({ length: copies }, () => JSON.parse(text));
  globalThis.gc?.();
  const bytes = (process.memoryUsage().heapUsed - before) / values.length;
  return Math.round(bytes);
}
