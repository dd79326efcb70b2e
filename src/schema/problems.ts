import type { ErrorObject } from 'ajv';
import { describeError } from './messages.ts';
import type { SchemaProblem } from './problem.ts';
import { reduceUnions } from './unions.ts';

const mostProblems = 50;

/** Turns Ajv's errors for one value into problems that its author understands. `schema` is the root schema. */
export function toProblems(errors: readonly ErrorObject[], schema: object): readonly SchemaProblem[] {
  const unique = new Map<string, SchemaProblem>();
  // Each error is put in words, some after a search for similar names: a hostile file may have 50,000.
  for (const error of reduceUnions(errors.slice(0, 20 * mostProblems), schema)) {
    const problem = describeError(error);
    if (problem) unique.set(`${problem.code} ${problem.pointer} ${problem.message}`, problem);
    if (unique.size === mostProblems) break;
  }
  const problems = [...unique.values()];
  return problems.filter((problem) => !isMisspelt(problem, problems));
}

/** A field that is missing because its name has a typo is one problem, not two. */
function isMisspelt(missing: SchemaProblem, problems: readonly SchemaProblem[]): boolean {
  if (missing.code !== 'missing_field') return false;
  const [parent, name] = splitPointer(missing.pointer);
  return problems.some(
    ({ code, pointer, hint }) =>
      code === 'unknown_field' && splitPointer(pointer)[0] === parent && hint === `Did you mean "${name}"?`,
  );
}

function splitPointer(pointer: string): readonly [parent: string, name: string] {
  const slash = pointer.lastIndexOf('/');
  return [pointer.slice(0, slash), pointer.slice(slash + 1)];
}
