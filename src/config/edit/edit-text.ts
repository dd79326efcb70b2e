import { type Document, isMap, isScalar, type Node } from 'yaml';

export interface EditedText {
  readonly text: string;
  readonly document: Document;
}

/**
 * Replaces a scalar of a YAML document in its text, so that comments and layout stay.
 * @param path of names and indexes; undefined is returned where there is no scalar
 */
export function replaceScalar(
  { text, document }: EditedText,
  path: readonly (string | number)[],
  value: string,
): string | undefined {
  const node = document.getIn(path, true);
  if (!isScalar(node) || node.range == null) return undefined;
  const [start, end] = node.range;
  // A block scalar (`|`) ends with the break of its last line.
  const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
  return `${text.slice(0, start)}${quoted(value)}${isBlock && text.slice(start, end).endsWith('\n') ? '\n' : ''}${text.slice(end)}`;
}

/** Sets a member of the top level, which is put behind another one where it is not there yet. */
export function setTopLevel(edited: EditedText, name: string, value: string, behind: string): string | undefined {
  const { text, document } = edited;
  const there = document.get(name, true);
  if (there !== undefined && there !== null) return replaceScalar(edited, [name], value);
  const root = document.contents;
  if (!isMap(root) || root.range == null) return undefined;
  if (root.flow === true) {
    const start = text.indexOf('{', root.range[0]) + 1;
    return `${text.slice(0, start)}${JSON.stringify(name)}: ${JSON.stringify(value)}, ${text.slice(start)}`;
  }
  const anchor = document.get(behind, true) as Node | undefined;
  if (anchor?.range == null) return undefined;
  const lineEnd = text.indexOf('\n', anchor.range[1]);
  const at = lineEnd < 0 ? text.length : lineEnd;
  return `${text.slice(0, at)}\n${name}: ${quoted(value)}${text.slice(at)}`;
}

/** As simple as it can be read: plain, in single quotes, or else in double quotes as JSON, which YAML takes. */
function quoted(value: string): string {
  if (/^[a-z][a-z0-9_-]*$/i.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value)) return value;
  return /^[\x20-\x7e]*$/.test(value) ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
}
