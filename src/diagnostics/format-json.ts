import type { LocatedProblem } from './located-problem.ts';

/** Prints one JSON object with a list of problems. */
export function formatJson(problems: readonly LocatedProblem[]): string {
  return `${JSON.stringify({ problems: describeProblems(problems) }, undefined, 2)}\n`;
}

/** Problems as plain data: lines and columns count from 1 and are absent if the file could not be read. */
export function describeProblems(problems: readonly LocatedProblem[]): readonly object[] {
  return problems.map(({ range, place, code, severity, message, hint }) => ({
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
}
