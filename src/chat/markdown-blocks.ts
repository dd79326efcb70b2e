export type Block =
  | { readonly kind: 'paragraph' | 'heading' | 'code'; readonly text: string }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | { readonly kind: 'list'; readonly start: number | undefined; readonly items: readonly (readonly Block[])[] };

/** Text that nests deeper is shown as it is: nobody writes that, except to overflow the stack. */
const deepest = 6;

const fence = /^ {0,3}(```+|~~~+)/;
const heading = /^ {0,3}#{1,6} +(.*)$/;
const quote = /^ {0,3}> ?/;
const item = /^( {0,3}(?:[-*+]|(\d{1,9})[.)]) +)(?=\S)/;

/** Reads the structure of a text in Markdown. An unfinished text, as it streams in, is read as if it ended here. */
export function blocksOf(text: string): Block[] {
  return readBlocks(text.split(/\r?\n/), 0);
}

function readBlocks(lines: readonly string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const endParagraph = (): void => {
    if (paragraph.length > 0) blocks.push({ kind: 'paragraph', text: paragraph.join('\n') });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const [, mark] = fence.exec(line) ?? [];
    const [, title] = heading.exec(line) ?? [];
    const isNested = depth < deepest && (quote.test(line) || item.test(line));
    if (mark !== undefined || title !== undefined || isNested || line.trim() === '') endParagraph();
    if (mark !== undefined) {
      let end = at + 1;
      while (end < lines.length && !lines[end]?.trim().startsWith(mark)) end += 1;
      blocks.push({ kind: 'code', text: lines.slice(at + 1, end).join('\n') });
      at = end + 1;
    } else if (title !== undefined) {
      blocks.push({ kind: 'heading', text: title.trim() });
      at += 1;
    } else if (isNested) {
      at = quote.test(line) ? readQuote(lines, at, depth, blocks) : readList(lines, at, depth, blocks);
    } else {
      if (line.trim() !== '') paragraph.push(line.trim());
      at += 1;
    }
  }
  endParagraph();
  return blocks;
}

function readQuote(lines: readonly string[], from: number, depth: number, blocks: Block[]): number {
  let end = from;
  while (quote.test(lines[end] ?? '')) end += 1;
  const quoted = lines.slice(from, end).map((line) => line.replace(quote, ''));
  blocks.push({ kind: 'quote', blocks: readBlocks(quoted, depth + 1) });
  return end;
}

/** An item continues with lines that are indented as its text is, or by two spaces, and with the line after its first. */
function readList(lines: readonly string[], from: number, depth: number, blocks: Block[]): number {
  const items: Block[][] = [];
  const start = item.exec(lines[from] ?? '')?.[2];
  let at = from;
  for (;;) {
    const found = item.exec(lines[at] ?? '');
    if (found === null || (found[2] === undefined) !== (start === undefined)) break;
    const [, lead = ''] = found;
    const own = [(lines[at] ?? '').slice(lead.length)];
    for (at += 1; at < lines.length; at += 1) {
      const line = lines[at] ?? '';
      const indent = line.length - line.trimStart().length;
      const isBlank = line.trim() === '';
      const isContinued = indent >= 2 || (isBlank && /^ {2,}\S/.test(lines[at + 1] ?? ''));
      if (!isContinued) break;
      own.push(line.slice(Math.min(indent, lead.length)));
    }
    items.push(readBlocks(own, depth + 1));
    // Items may stand apart by a line.
    if ((lines[at] ?? '').trim() === '' && item.test(lines[at + 1] ?? '')) at += 1;
  }
  blocks.push({ kind: 'list', start: start === undefined ? undefined : Number(start), items });
  return at;
}
