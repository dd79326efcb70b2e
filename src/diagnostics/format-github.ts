import type { LocatedProblem } from './located-problem.ts';

/** Prints workflow commands, which GitHub Actions shows as annotations of the lines of a pull request. */
export function formatGithub(problems: readonly LocatedProblem[]): string {
  return problems.map((problem) => `${workflowCommand(problem)}\n`).join('');
}

function workflowCommand({ range, place, code, severity, message, hint }: LocatedProblem): string {
  const properties = [`file=${escapeProperty(place.file)}`];
  if (range) {
    properties.push(`line=${range.start.line}`, `col=${range.start.column}`);
    if (range.end.offset > range.start.offset) {
      properties.push(`endLine=${range.end.line}`, `endColumn=${range.end.column}`);
    }
  }
  properties.push(`title=${escapeProperty(code)}`);
  const words = hint === undefined ? message : `${message}\nhint: ${hint}`;
  return `::${commands[severity]} ${properties.join(',')}::${escapeData(words)}`;
}

const commands = { error: 'error', warning: 'warning', note: 'notice' } as const;

/** As toolkit's `escapeData` (actions/toolkit, packages/core/src/command.ts). */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
