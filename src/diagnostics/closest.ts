import { distance } from 'fastest-levenshtein';

/** The name that the author most likely meant, or undefined if none is near enough to suggest. */
export function closest(written: string, names: readonly string[]): string | undefined {
  const lowered = written.toLowerCase();
  // A third of the letters may be off: enough for a typo, too little for another word.
  let best: { name: string; edits: number } | undefined;
  for (const name of names) {
    const letters = distance(lowered, name.toLowerCase());
    if (letters > Math.ceil(Math.max(name.length, lowered.length) / 3)) continue;
    // Two letters in the wrong order are one typo.
    const edits = letters === 2 && isSwapped(lowered, name.toLowerCase()) ? 1 : letters;
    if (best === undefined || edits < best.edits) best = { name, edits };
  }
  return best?.name;
}

function isSwapped(written: string, name: string): boolean {
  const at = [...written].findIndex((letter, index) => letter !== name[index]);
  return written.length === name.length && written[at] === name[at + 1] && written[at + 1] === name[at];
}

/** The most names that a hint lists. */
const mostNames = 12;

/** What to write instead: the closest name, or those that there are. */
export function suggest(written: string, names: readonly string[], noun: string): string {
  const near = closest(written, names);
  if (near !== undefined) return `Did you mean "${near}"?`;
  return names.length === 0 ? `There are no ${noun}.` : `Known ${noun}: ${names.slice(0, mostNames).join(', ')}.`;
}
