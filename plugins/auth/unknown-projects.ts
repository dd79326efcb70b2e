import { closest } from 'fastest-levenshtein';
import type { AuthPluginContext, OptionsProblem } from '../../src/contract/index.ts';

/** Those of a list of projects in the options that the organization does not have: whoever is granted them gets nowhere. */
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
