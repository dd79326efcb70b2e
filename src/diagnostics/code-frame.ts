import { codeFrameColumns } from '@babel/code-frame';
import { withoutCredentials } from './credentials.ts';
import type { Range } from './locate.ts';
import { makePrintable } from './printable.ts';

const linesAround = 2;
const widestLine = 160;
const shownBeforeColumn = 60;

/** Where a text must not be shown, as offsets; end exclusive. */
export interface Mask {
  readonly start: number;
  readonly end: number;
}

/** Draws the lines around a range with a marker below it. Masked text is redacted. */
export function codeFrame(text: string, range: Range, masks: readonly Mask[] = []): string {
  const lines = withoutCredentials(applyMasks(text, masks), redacted).split('\n');
  const firstLine = Math.max(range.start.line - linesAround, 1);
  const shown = lines.slice(firstLine - 1, range.start.line + linesAround).map(makePrintable);
  while (shown.length > range.start.line - firstLine + 1 && shown.at(-1)?.trim() === '') shown.pop();
  const isWide = shown.some((line) => line.length > widestLine);
  const cropped = isWide ? Math.max(range.start.column - 1 - shownBeforeColumn, 0) : 0;
  // code-frame counts columns from 0, though not lines.
  const column = (position: { readonly column: number }): number => position.column - cropped - 1;
  const location = { line: range.start.line, column: column(range.start) };
  const end = range.end.offset > range.start.offset && range.end.line === range.start.line ? range.end : undefined;
  return codeFrameColumns(
    shown.map((line) => line.slice(cropped, cropped + widestLine)).join('\n'),
    { start: location, ...(end && { end: { line: end.line, column: Math.min(column(end), widestLine) } }) },
    { startLine: firstLine, linesAbove: linesAround, linesBelow: linesAround, highlightCode: false },
  );
}

/** As long as what it stands for, so that the marker below is at its place. */
function redacted(text: string): string {
  return '*'.repeat(text.length);
}

function applyMasks(text: string, masks: readonly Mask[]): string {
  return masks.reduce(
    (masked, { start, end }) =>
      masked.slice(0, start) + masked.slice(start, end).replace(/[^\s]/g, '*') + masked.slice(end),
    text,
  );
}
