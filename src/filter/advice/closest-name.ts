import { distance } from 'fastest-levenshtein';

/** The name that the author most likely meant, or undefined if none is near enough to suggest. */
export function closestName(written: string, names: Iterable<string>): string | undefined {
  const lowered = written.toLowerCase();
  let best: { readonly name: string; readonly edits: number } | undefined;
  for (const name of names) {
    const edits = distance(lowered, name.toLowerCase());
    // A third of the letters may be off: enough for a typo, too little for another word.
    const isNear = edits <= Math.max(1, Math.floor(Math.max(name.length, lowered.length) / 3));
    if (isNear && (best === undefined || edits < best.edits)) best = { name, edits };
  }
  return best?.name;
}
