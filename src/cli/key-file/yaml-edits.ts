import { isMap, isNode, isScalar, type Node, stringify, type YAMLMap, type YAMLSeq } from 'yaml';
import { type Edit, insertion } from './edit-text.ts';

/** A member of a mapping that is written: its name, and its value as text. */
export type Member = readonly [name: string, value: string];

/**
 * Appends a mapping to a sequence that has only mappings, in the notation that the last one has. Undefined if the notation is
 * too unusual to be edited, or the sequence is empty.
 */
export function appendItem(text: string, sequence: YAMLSeq, members: readonly Member[]): Edit | undefined {
  const items = sequence.items.filter(isMap);
  const last = items.at(-1);
  if (last === undefined || items.length !== sequence.items.length) return undefined;
  return sequence.flow ? flowItem(text, last, members) : blockItem(text, last, members);
}

/** A mapping on one line. */
export function flowMap(members: readonly Member[], asJson: boolean): string {
  if (asJson) return `{${members.map(([name, value]) => `"${name}": ${JSON.stringify(value)}`).join(', ')}}`;
  return `{ ${members.map(([name, value]) => `${name}: ${shown(name, value, ['hash', 'note'])}`).join(', ')} }`;
}

/** A mapping with a line for each member. */
export function blockLines(members: readonly Member[]): readonly string[] {
  return members.map(([name, value]) => `${name}: ${shown(name, value, ['note'])}`);
}

/** Whether a flow mapping is written as JSON, for readers that understand nothing else. */
export function isJson({ items }: YAMLMap): boolean {
  return items.length > 0 && items.every(({ key }) => isScalar(key) && key.type === 'QUOTE_DOUBLE');
}

export function startOf(node: Node): number | undefined {
  return node.range?.[0];
}

export function endOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[1] : undefined;
}

export function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** The end of the line, a comment included, before its line break. */
export function lineEnd(text: string, at: number): number {
  // A block scalar ends after its line break.
  if (text[at - 1] === '\n') return text[at - 2] === '\r' ? at - 2 : at - 1;
  const end = text.indexOf('\n', at);
  if (end === -1) return text.length;
  return text[end - 1] === '\r' ? end - 1 : end;
}

export function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** A new item of a flow sequence: on a line of its own, if the last one is. */
function flowItem(text: string, last: YAMLMap, members: readonly Member[]): Edit | undefined {
  const [start, end] = [startOf(last), endOf(last)];
  if (start === undefined || end === undefined) return undefined;
  const indent = text.slice(lineStart(text, start), start);
  const separator = /^[ \t]+$/.test(indent) ? `,${eolOf(text)}${indent}` : ', ';
  return insertion(end, `${separator}${flowMap(members, isJson(last))}`);
}

/** A new item of a block sequence: as long a notation as the last one has. */
function blockItem(text: string, last: YAMLMap, members: readonly Member[]): Edit | undefined {
  const start = startOf(last);
  const end = endOf(last.flow ? last : last.items.at(-1)?.value);
  if (start === undefined || end === undefined) return undefined;
  const marker = text.slice(lineStart(text, start), start);
  if (!/^ *- +$/.test(marker)) return undefined;
  const eol = eolOf(text);
  const item = last.flow
    ? flowMap(members, isJson(last))
    : blockLines(members).join(`${eol}${' '.repeat(marker.length)}`);
  return insertion(lineEnd(text, end), `${eol}${marker}${item}`);
}

/** An id may look like a number; others are quoted where their characters would mean something. */
function shown(name: string, value: string, quoted: readonly string[]): string {
  if (quoted.includes(name)) return JSON.stringify(value);
  return name === 'id' ? stringify(value).trimEnd() : value;
}
