import type { FormatOptions } from './formats.ts';
import type { Range } from './locate.ts';
import type { LocatedProblem } from './located-problem.ts';
import { repositoryPath } from './repository-path.ts';

/** Prints workflow commands, which GitHub Actions shows as annotations of the lines of a pull request. */
export function formatGithub(problems: readonly LocatedProblem[], { root }: Pick<FormatOptions, 'root'>): string {
  return problems.map((problem) => `${workflowCommand(problem, root)}\n`).join('');
}

function workflowCommand(
  { range, place, code, severity, message, hint }: LocatedProblem,
  root: string | undefined,
): string {
  const file = (root === undefined ? undefined : repositoryPath(place.file, root)) ?? place.file;
  const properties = [`file=${escapeProperty(file)}`];
  if (range) properties.push(...position(range));
  properties.push(`title=${escapeProperty(code)}`);
  const words = hint === undefined ? message : `${message}\nhint: ${hint}`;
  return `::${commands[severity]} ${properties.join(',')}::${escapeData(words)}`;
}

/** The checks API takes columns only where an annotation begins and ends on one line. */
function position({ start, end }: Range): readonly string[] {
  if (end.line !== start.line) return [`line=${start.line}`, `endLine=${end.line}`];
  const isPoint = end.offset === start.offset;
  return [
    `line=${start.line}`,
    `col=${start.column}`,
    ...(isPoint ? [] : [`endLine=${end.line}`, `endColumn=${end.column}`]),
  ];
}

const commands = { error: 'error', warning: 'warning', note: 'notice' } as const;

/** As toolkit's `escapeData` (actions/toolkit, packages/core/src/command.ts). */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
