import type { Scalar } from 'yaml';

/** Maps an offset inside a string value to one in the YAML text that it was written in, over all its lines. */
export function scalarOffset(scalar: Scalar, text: string, offset: number): number {
  const [start, end] = scalar.range ?? [0, 0];
  const written = text.slice(start, end);
  const value = String(scalar.value);
  switch (scalar.type) {
    case 'BLOCK_LITERAL':
    case 'BLOCK_FOLDED':
      return start + unescapedOffset(written, written.indexOf('\n') + 1, value, offset);
    case 'PLAIN':
      return start + unescapedOffset(written, 0, value, offset);
    case 'QUOTE_SINGLE':
      return start + quotedOffset(written, offset, singleQuotedLength);
    case 'QUOTE_DOUBLE':
      return start + quotedOffset(written, offset, doubleQuotedLength);
    default:
      return start;
  }
}

const blank = /[ \t\r\n]/;
const printed = /[^ \t\r\n]/g;

/**
 * Without escapes, all that YAML takes away and puts in is blank: the nth character that is not blank is the same one
 * in the text and in the value.
 */
function unescapedOffset(written: string, from: number, value: string, offset: number): number {
  const count = value.slice(0, offset).match(printed)?.length ?? 0;
  const gap = value.slice(offset).search(/[^ \t\r\n]/);
  const isNextOnLine = gap !== -1 && !value.slice(offset, offset + gap).includes('\n');
  return isNextOnLine
    ? nthPrinted(written, from, count) - gap
    : nthPrinted(written, from, count - 1) + (count > 0 ? 1 : 0);
}

/** Where the character is that `count` characters which are not blank precede; the end if there are fewer. */
function nthPrinted(written: string, from: number, count: number): number {
  let index = from;
  let left = count;
  for (; index < written.length && left >= 0; index += 1) if (!blank.test(written[index] ?? '')) left -= 1;
  return left < 0 ? Math.max(index - 1, from) : written.length;
}

/** How many units of the text, and how many of the value, what begins at `index` takes. */
type Measure = (written: string, index: number) => readonly [textLength: number, valueLength: number];

function quotedOffset(written: string, offset: number, measure: Measure): number {
  let index = 1;
  let reached = 0;
  while (index < written.length - 1) {
    const [textLength, valueLength] = foldLength(written, index) ?? measure(written, index);
    if (reached + valueLength > offset) break;
    index += textLength;
    reached += valueLength;
  }
  return Math.min(index, written.length - 1);
}

const fold = /[ \t]*(?:\r?\n[ \t]*)+/y;

/** YAML 1.2 §6.5: a line break with the blanks around it is a space, and each empty line after it is a line break. */
function foldLength(written: string, index: number): readonly [number, number] | undefined {
  fold.lastIndex = index;
  const [folded] = fold.exec(written) ?? [];
  if (folded === undefined) return undefined;
  const breaks = folded.split('\n').length - 1;
  return [folded.length, Math.max(1, breaks - 1)];
}

function singleQuotedLength(written: string, index: number): readonly [number, number] {
  return written.startsWith("''", index) ? [2, 1] : [1, 1];
}

function doubleQuotedLength(written: string, index: number): readonly [number, number] {
  if (written[index] !== '\\') return [1, 1];
  switch (written[index + 1]) {
    case 'x':
      return [4, 1];
    case 'u':
      return [6, 1];
    case 'U':
      return [10, Number.parseInt(written.slice(index + 2, index + 10), 16) > 0xffff ? 2 : 1];
    case '\r':
    case '\n':
      return [(/^\\\r?\n[ \t]*/.exec(written.slice(index))?.[0] ?? '\\').length, 0];
    default:
      return [2, 1];
  }
}
