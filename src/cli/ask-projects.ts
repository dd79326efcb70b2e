import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';

/**
 * Asks on a terminal which projects a key may use, until there is an answer. The question is no data: it goes to stderr.
 * @returns undefined if the input ends without an answer
 */
export async function askProjects(
  known: readonly string[],
  { input, output }: { readonly input: Readable; readonly output: Writable },
): Promise<readonly string[] | undefined> {
  const lines = createInterface({ input, output, terminal: false });
  const choice = known.length === 0 ? '' : ` (${known.join(', ')})`;
  const ask = () => output.write(`Which projects may the key use${choice}? Ids with spaces in between, or * for all: `);
  try {
    ask();
    for await (const line of lines) {
      const projects = line.split(/[\s,]+/).filter((id) => id !== '');
      const unknown = unknownProjects(projects, known);
      if (projects.length > 0 && unknown.length === 0) return projects;
      for (const id of unknown) output.write(`There is no project ${id}.\n`);
      ask();
    }
    return undefined;
  } finally {
    lines.close();
  }
}

/** The ids that no project has, where any project is known. */
export function unknownProjects(given: readonly string[], known: readonly string[]): readonly string[] {
  return known.length === 0 ? [] : given.filter((id) => id !== '*' && !known.includes(id));
}
