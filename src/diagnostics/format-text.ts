import pc from 'picocolors';
import { codeFrame, type Mask } from './code-frame.ts';
import { valueOffsets } from './locate.ts';
import type { LocatedProblem } from './located-problem.ts';
import { makePrintable } from './printable.ts';
import type { Sources } from './source.ts';

/** Prints `file:line:col code message`, a code frame and a hint for each problem; a note is nothing but a line. */
export function formatText(problems: readonly LocatedProblem[], sources: Sources, color: boolean): string {
  const colors = pc.createColors(color);
  const masks = secretMasks(problems, sources);
  return problems
    .map(({ range, place, severity, code, message, hint }) => {
      const position = range ? `:${range.start.line}:${range.start.column}` : '';
      const paint = { error: colors.red, warning: colors.yellow, note: colors.blue }[severity];
      const words = severity === 'error' ? message : `${severity}: ${message}`;
      const blocks = [`${colors.bold(makePrintable(place.file) + position)} ${paint(code)} ${makePrintable(words)}`];
      const source = sources.get(place.file);
      if (severity !== 'note' && range && source?.text)
        blocks.push(codeFrame(source.text, range, masks.get(place.file)));
      if (hint !== undefined) blocks.push(`  ${colors.cyan('hint:')} ${makePrintable(hint)}`);
      return `${blocks.join('\n')}\n`;
    })
    .join('\n');
}

/** A secret that stands in a file must not reach a log because of a problem beside it. */
function secretMasks(problems: readonly LocatedProblem[], sources: Sources): ReadonlyMap<string, readonly Mask[]> {
  const secrets = problems.filter((problem) => problem.code === 'literal_secret');
  const byFile = Map.groupBy(secrets, (problem) => problem.place.file);
  return new Map(
    [...byFile].map(([file, found]) => {
      const source = sources.get(file);
      return [file, found.flatMap(({ place }) => (source && valueOffsets(source, place)) ?? [])];
    }),
  );
}
