/** Levels of objects and arrays that a body may have, itself the first. */
export const maxDepth = 64;

/** Properties of a JSON text that its value does not show. Meaningless if the text is not valid JSON. */
export interface JsonScan {
  /** Colons outside strings: as many as there are members. */
  readonly colons: number;
  /** As written, those longer than 15 digits and a two-digit exponent. A double holds all others as they are. */
  readonly numbers: readonly string[];
  /** What the value takes in memory depends on these (memory/json-memory.ts). */
  readonly containers: number;
  readonly commas: number;
  readonly strings: number;
  /** Strings that start with a digit: they may be names of indices. */
  readonly numericStrings: number;
  /** Numbers of any length. */
  readonly values: number;
}

const quote = 0x22;
const minus = 0x2d;
const comma = 0x2c;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const backslash = 0x5c;
/** Sets the bit that distinguishes { from [, } from ] and e from E. */
const caseBit = 0x20;
const opening = 0x7b;
const closing = 0x7d;

/** Looks once at each byte of a JSON text. Undefined if it is nested deeper than `levels`. */
export function scanJson(bytes: Buffer, levels = maxDepth): JsonScan | undefined {
  const { length } = bytes;
  const numbers: string[] = [];
  let colons = 0;
  let containers = 0;
  let commas = 0;
  let strings = 0;
  let numericStrings = 0;
  let values = 0;
  let depth = 0;
  let index = 0;
  while (index < length) {
    const start = index;
    const byte = bytes[index] ?? 0;
    index += 1;
    if (byte === quote) {
      const first = bytes[index] ?? 0;
      strings += 1;
      if (first >= zero && first <= nine) numericStrings += 1;
      index = endOfString(bytes, index);
    } else if (byte <= nine) {
      if (byte < zero && byte !== minus) {
        if (byte === comma) commas += 1;
        continue;
      }
      values += 1;
      const end = endOfDigits(bytes, index);
      const hasExponent = end < length && ((bytes[end] ?? 0) | caseBit) === 0x65;
      index = hasExponent ? endOfDigits(bytes, end + 2) : end;
      if (end - start > 15 || index - end > 3) numbers.push(bytes.toString('latin1', start, index));
    } else if (byte === colon) {
      colons += 1;
    } else if ((byte | caseBit) === opening) {
      containers += 1;
      depth += 1;
      if (depth > levels) return undefined;
    } else if ((byte | caseBit) === closing) {
      depth -= 1;
    }
  }
  return { colons, numbers, containers, commas, strings, numericStrings, values };
}

/** Index of the first byte that is no digit and no decimal point. */
function endOfDigits(bytes: Buffer, start: number): number {
  const { length } = bytes;
  let index = start;
  while (index < length) {
    const byte = bytes[index] ?? 0;
    if (byte > nine || (byte < zero && byte !== dot)) break;
    index += 1;
  }
  return index;
}

/** Beyond this many bytes a native search is faster than a look at each. */
const shortString = 64;

/** Index after the quote that ends a string. */
function endOfString(bytes: Buffer, start: number): number {
  const { length } = bytes;
  let index = start;
  while (index < length) {
    const limit = Math.min(index + shortString, length);
    while (index < limit) {
      const byte = bytes[index];
      index += 1;
      if (byte === quote) return index;
      if (byte === backslash) index += 1;
    }
    const next = bytes.indexOf(quote, index);
    if (next === -1) return length;
    let first = next;
    while (first > index && bytes[first - 1] === backslash) first -= 1;
    index = next + 1;
    if ((next - first) % 2 === 0) return index;
    // That quote was escaped. A search from each such quote to the next would be slow if there were nothing else.
  }
  return length;
}
