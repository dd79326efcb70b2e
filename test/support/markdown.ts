export interface CodeBlock {
  readonly language: string;
  /** The file that its first line, a comment, names. */
  readonly path: string | undefined;
  readonly text: string;
  readonly line: number;
}

/** The fenced blocks of a page, in order. */
export function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(/^ *```(\w+)\n(.*?)^ *```$/gms)].map(({ 1: language = '', 2: body = '', index }) => ({
    language,
    path: /^ *(?:#|\/\/) (\S+)\n/.exec(body)?.[1],
    text: body,
    line: text.slice(0, index).split('\n').length,
  }));
}

/** The anchors that the headings of a page have on GitHub: https://github.com/Flet/github-slugger tells how. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const prose = text.replace(/^ *```.*?^ *```$/gms, '');
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words.replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}
