import type { LocatedProblem } from './located-problem.ts';

/** Prints one JSON object with a list of problems. */
export function formatJson(problems: readonly LocatedProblem[]): string {
  const list = problems.map(({ range, place, code, severity, message, hint }) => ({
    file: place.file,
    line: range?.start.line,
    column: range?.start.column,
    endLine: range?.end.line,
    endColumn: range?.end.column,
    pointer: place.pointer,
    code,
    severity,
    message,
    hint,
  }));
  return `${JSON.stringify({ problems: list }, undefined, 2)}\n`;
}
