import { closest } from 'fastest-levenshtein';
import type { AuthPluginContext, OptionsProblem } from '../../src/contract/index.ts';

/** Reports projects in the options that the organization does not have: granting them gives a caller no access. */
export function unknownProjects(
  { projects }: Pick<AuthPluginContext, 'projects'>,
  granted: readonly string[],
  pointer: string,
): OptionsProblem[] {
  return granted.flatMap((id, index) => {
    if (id === '*' || projects.includes(id)) return [];
    const hint = projects.length === 0 ? {} : { hint: `Did you mean ${closest(id, [...projects])}?` };
    return [{ pointer: `${pointer}/${index}`, message: `there is no project ${id}`, ...hint }];
  });
}
