import { oneLine } from '../words.ts';

/** A folded part. */
export function details(summary: string, content: string, isOpen = false): string {
  return `<details${isOpen ? ' open' : ''}><summary>${html(summary)}</summary>\n\n${content}\n\n</details>`;
}

/** A code span that nothing in the text can end: names and values of a config must not become markup. */
export function inline(text: string): string {
  const line = oneLine(text);
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const space = line === '' || /^`|`$|^ .* $/.test(line) ? ' ' : '';
  return `${fence}${space}${line}${space}${fence}`;
}

/** Words with names in them, without what Markdown, HTML or a mention could be made of. */
export function plain(text: string): string {
  return (
    html(oneLine(text))
      .replace(/[\\`*_[\]#|~!]/g, '\\$&')
      .replaceAll('@', '@\u200b')
      // GitHub makes links of what looks like one.
      .replaceAll('://', '&#58;//')
      .replace(/www\./gi, (start) => `${start.slice(0, 3)}&#46;`)
  );
}

function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
