import type { Scalar } from 'yaml';

/**
 * Maps an offset inside a string value to one in the YAML text that it was written in. Known for scalars of one line
 * and for literal blocks; of others, whose lines are folded, it gives the start.
 */
export function scalarOffset(scalar: Scalar, text: string, offset: number): number {
  const [start, end] = scalar.range ?? [0, 0];
  const written = text.slice(start, end);
  if (scalar.type === 'BLOCK_LITERAL') return start + literalOffset(written, String(scalar.value), offset);
  if (written.includes('\n')) return start;
  switch (scalar.type) {
    case 'PLAIN':
      return start + Math.min(offset, written.length);
    case 'QUOTE_SINGLE':
      return start + quotedOffset(written, offset, singleQuotedLength);
    case 'QUOTE_DOUBLE':
      return start + quotedOffset(written, offset, doubleQuotedLength);
    default:
      return start;
  }
}

/** How many units of the text, and how many of the value, the character at `index` takes. */
type Measure = (written: string, index: number) => readonly [textLength: number, valueLength: number];

function quotedOffset(written: string, offset: number, measure: Measure): number {
  let index = 1;
  let reached = 0;
  while (index < written.length - 1) {
    const [textLength, valueLength] = measure(written, index);
    if (reached + valueLength > offset) break;
    index += textLength;
    reached += valueLength;
  }
  return index;
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
    default:
      return [2, 1];
  }
}

function literalOffset(written: string, value: string, offset: number): number {
  const before = value.slice(0, offset).split('\n');
  const lines = written.split('\n');
  const firstFull = value.split('\n').findIndex((line) => line.trim() !== '');
  if (firstFull === -1) return 0;
  // The value keeps what is indented further than the block, so the difference is the block's own indentation.
  const indentation = leadingSpaces(lines[firstFull + 1] ?? '') - leadingSpaces(value.split('\n')[firstFull] ?? '');
  const linesBefore = lines.slice(0, before.length).join('\n').length + 1;
  return Math.min(linesBefore + indentation + (before.at(-1)?.length ?? 0), written.length);
}

function leadingSpaces(line: string): number {
  return line.length - line.replace(/^ +/, '').length;
}
