/**
 * Makes characters visible that could reorder a text or hide in it: control and bidirectional characters, except tabs and line breaks.
 * Each becomes `⟨U+202E⟩`.
 */
export function printable(text: string): string {
  return text.replace(/[[\p{Cc}\p{Cf}\u2028\u2029]--[\t\n\u200d]]/gv, (character) => {
    if (character === '\r') return '';
    return `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}
