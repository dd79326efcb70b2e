import { makePrintable } from '../diagnostics/printable.ts';
import { terminal } from './terminal.ts';

/**
 * Rows under their head, each column as wide as it must be. Cells hold what callers and agents have sent: none of it may control
 * the terminal or begin a line.
 */
export function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = rows.map((row) => row.map((cell) => makePrintable(String(cell ?? ''))));
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [terminal.bold(line(head)), ...cells.map(line)].join('\n');
}
