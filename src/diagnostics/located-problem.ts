import { locate, type Range } from './locate.ts';
import type { Problem } from './problem.ts';
import type { Sources } from './source.ts';

/** A problem with its position, which is unknown if its file could not be read or is a folder. */
export interface LocatedProblem extends Problem {
  readonly range: Range | undefined;
}

/** Finds the positions of problems and orders them by file and position. */
export function locateProblems(problems: readonly Problem[], sources: Sources): readonly LocatedProblem[] {
  return problems
    .map((problem) => {
      const source = sources.get(problem.place.file);
      return { ...problem, range: source && locate(source, problem.place) };
    })
    .sort(byPlace);
}

function byPlace(left: LocatedProblem, right: LocatedProblem): number {
  if (left.place.file !== right.place.file) return left.place.file < right.place.file ? -1 : 1;
  return (left.range?.start.offset ?? 0) - (right.range?.start.offset ?? 0);
}
