/**
 * A regular expression for what a name becomes by one slip of the keyboard: a letter too many, one missing, another one, or two
 * exchanged. The first letter is hardly ever wrong, and in short names another letter often makes another word.
 */
export function misspellings(name: string): string {
  const letter = '[a-z-]';
  const found = new Set<string>();
  for (let at = 1; at <= name.length; at += 1) {
    const [before, here, after] = [name.slice(0, at), name.charAt(at), name.slice(at + 1)];
    const doubled = `${before}${before.at(-1)}${here}${after}`;
    found.add(name.length < 4 ? doubled : `${before}${letter}${here}${after}`);
    if (here === '') continue;
    const next = after.charAt(0);
    if (next !== '' && next !== here) found.add(`${before}${next}${here}${after.slice(1)}`);
    if (name.length > 3) found.add(`${before}${after}`);
    if (name.length > 4) found.add(`${before}(?!${here})${letter}${after}`);
  }
  // Exchanging the first two letters is a slip of its own.
  const [first = '', second = ''] = name;
  if (first !== second) found.add(`${second}${first}${name.slice(2)}`);
  return [...found].join('|');
}
