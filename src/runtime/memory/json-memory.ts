import { isAscii } from 'node:buffer';
import type { JsonScan } from '../body/json-scan.ts';

/**
 * What parsed JSON takes in V8 on a 64-bit machine, in bytes, each as in the worst case that was measured: empty and nested
 * containers, members of distinct names (hash tables, hidden classes), names that are indices (sparse elements), and
 * numbers that are no small integers. test/runtime/json-memory.test.ts compares it with the heap.
 */
const perContainer = 56;
const perMember = 72;
const perString = 24;
const perNumericName = 48;
const perItem = 16;
const perNumber = 8;

/** A body as received, as text, the strings in it, and one serialization on its way to the store or an agent. */
export const copiesOfAscii = 4;
/** One character beyond Latin-1 doubles all but the first. */
export const copiesOfOthers = 7;

/** What the members of a form take beside their text. */
export function formMemory(fields: number): number {
  return fields * (perMember + 2 * perString + perItem);
}

/** What a body takes once it is parsed. */
export function bodyMemory(
  bytes: Uint8Array,
  { containers, colons, commas, strings, numericStrings, values }: JsonScan,
): number {
  return (
    bytes.length * (isAscii(bytes) ? copiesOfAscii : copiesOfOthers) +
    containers * perContainer +
    colons * perMember +
    strings * perString +
    numericStrings * perNumericName +
    commas * perItem +
    values * perNumber
  );
}

/**
 * How many values `valueMemory` visits: what a plugin returns may contain itself. What is beyond is not counted, so that a
 * larger value is charged less than it takes.
 */
const mostVisited = 4_000_000;

/** What a value takes, by the same measures. */
export function valueMemory(value: unknown): number {
  if (typeof value === 'string') return perString + 2 * value.length;
  return typeof value === 'object' && value !== null ? treeMemory(value) : 0;
}

function treeMemory(value: object): number {
  const stack: unknown[] = [value];
  let bytes = 0;
  for (let left = mostVisited; stack.length > 0 && left > 0; left -= 1) {
    const next = stack.pop();
    if (typeof next === 'string') {
      bytes += perString + 2 * next.length;
    } else if (typeof next === 'object' && next !== null) {
      bytes += perContainer;
      if (Array.isArray(next)) {
        bytes += next.length * (perItem + perNumber);
        for (const item of next) if (typeof item === 'string' || typeof item === 'object') stack.push(item);
      } else {
        for (const name of Object.keys(next)) {
          const member = (next as Record<string, unknown>)[name];
          bytes += perMember + perString + 2 * name.length + perItem;
          if (typeof member === 'string' || typeof member === 'object') stack.push(member);
        }
      }
    }
  }
  return bytes;
}
