import { stringify } from 'yaml';

/** A Markdown table, its columns aligned as the formatter wants them; cells may hold any inline Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map(cell));
  const widths = head.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [first = [], ...others] = lines;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n');
}

/** Inline code of a value, written as it would be in YAML on one line. */
export function code(value: unknown): string {
  const text = stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** A fragment of text, as help for a terminal has it, as a sentence. */
export function sentence(fragment: string): string {
  return `${fragment[0]?.toUpperCase() ?? ''}${fragment.slice(1)}${fragment.endsWith('.') ? '' : '.'}`;
}

/** A value as a block of JSON. */
export function jsonBlock(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, undefined, 2)}\n\`\`\``;
}

/** A YAML document as a block. */
export function yamlBlock(document: object, comment: string): string {
  return `\`\`\`yaml\n# ${comment}\n${stringify(document, { lineWidth: 110 })}\`\`\``;
}

/** A page of paragraphs, with the note that keeps people from editing it. */
export function page(source: string, ...paragraphs: readonly string[]): string {
  const note = `<!-- Generated from ${source} by docs/generate.ts: change that, then run npm run generate. -->`;
  return `${[note, ...paragraphs].join('\n\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
