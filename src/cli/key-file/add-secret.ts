import { isMap, isNode, isScalar, isSeq, type Node, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { checkFile } from '../../config/check-file.ts';
import type { ApiKeyDocument } from '../../config/documents.gen.ts';
import { composeDocument } from '../../config/yaml/document.ts';
import { applyEdits, type Edit, insertion } from './edit-text.ts';

export interface NewSecret {
  readonly hash: string;
  readonly expires?: string | undefined;
  readonly note?: string | undefined;
}

/**
 * Adds a secret to the text of a key's file, in the notation that the file has; every other byte stays.
 * @param expiries a new `expires` for some of the older secrets, by their positions
 * @returns undefined if the notation is too unusual to be edited
 */
export function addSecret(
  text: string,
  before: ApiKeyDocument,
  secret: NewSecret,
  expiries: ReadonlyMap<number, string>,
): string | undefined {
  const secrets = composeDocument(text)?.get('secrets');
  const edits = isSeq(secrets) ? editsFor(text, secrets, secret, expiries) : undefined;
  if (edits === undefined) return undefined;
  const edited = applyEdits(text, edits);
  return declares(edited, expected(before, secret, expiries)) ? edited : undefined;
}

/** Notations of YAML are many: what counts is that the edited text declares what it should. */
function declares(text: string, document: ApiKeyDocument): boolean {
  const checked = checkFile(Buffer.from(text));
  return checked.document !== undefined && JSON.stringify(checked.document) === JSON.stringify(document);
}

function expected(
  before: ApiKeyDocument,
  { hash, expires, note }: NewSecret,
  expiries: ReadonlyMap<number, string>,
): ApiKeyDocument {
  const older = before.secrets.map((secret, index) => {
    const given = expiries.get(index);
    return given === undefined ? secret : { ...secret, expires: given };
  });
  const added = { hash, ...(expires !== undefined && { expires }), ...(note !== undefined && { note }) };
  const [first = added, ...others] = [...older, added];
  return { ...before, secrets: [first, ...others] };
}

function editsFor(
  text: string,
  secrets: YAMLSeq,
  secret: NewSecret,
  expiries: ReadonlyMap<number, string>,
): readonly Edit[] | undefined {
  const items = secrets.items.filter(isMap);
  const last = items.at(-1);
  if (last === undefined || items.length !== secrets.items.length) return undefined;
  const edits = [...expiries].map(([index, expires]) => expiryEdit(text, items[index], expires));
  edits.push(secrets.flow ? flowItem(text, last, secret) : blockItem(text, last, secret));
  return edits.every((edit) => edit !== undefined) ? edits : undefined;
}

function expiryEdit(text: string, item: YAMLMap | undefined, expires: string): Edit | undefined {
  const given = item?.get('expires', true);
  if (isScalar(given) && given.range)
    return { from: given.range[0], to: given.range[1], text: quotedAs(given, expires) };
  const end = item && endOf(item.items.at(-1)?.value);
  const start = item && startOf(item);
  if (item === undefined || end === undefined || start === undefined) return undefined;
  if (item.flow) return insertion(end, isJson(item) ? `, "expires": "${expires}"` : `, expires: ${expires}`);
  return insertion(
    lineEnd(text, end),
    `${eolOf(text)}${' '.repeat(start - lineStart(text, start))}expires: ${expires}`,
  );
}

/** A new item of a flow sequence: on a line of its own, if the last one is. */
function flowItem(text: string, last: YAMLMap, secret: NewSecret): Edit | undefined {
  const [start, end] = [startOf(last), endOf(last)];
  if (start === undefined || end === undefined) return undefined;
  const indent = text.slice(lineStart(text, start), start);
  const separator = /^[ \t]+$/.test(indent) ? `,${eolOf(text)}${indent}` : ', ';
  return insertion(end, `${separator}${flowMap(secret, isJson(last))}`);
}

/** A new item of a block sequence: as long a notation as the last one has. */
function blockItem(text: string, last: YAMLMap, secret: NewSecret): Edit | undefined {
  const start = startOf(last);
  const end = endOf(last.flow ? last : last.items.at(-1)?.value);
  if (start === undefined || end === undefined) return undefined;
  const marker = text.slice(lineStart(text, start), start);
  if (!/^ *- +$/.test(marker)) return undefined;
  const eol = eolOf(text);
  const members = membersOf(secret).map(
    ([name, value]) => `${name}: ${name === 'note' ? JSON.stringify(value) : value}`,
  );
  const item = last.flow ? flowMap(secret, isJson(last)) : members.join(`${eol}${' '.repeat(marker.length)}`);
  return insertion(lineEnd(text, end), `${eol}${marker}${item}`);
}

function flowMap(secret: NewSecret, asJson: boolean): string {
  const members = membersOf(secret);
  if (asJson) return `{${members.map(([name, value]) => `"${name}": ${JSON.stringify(value)}`).join(', ')}}`;
  return `{ ${members.map(([name, value]) => `${name}: ${name === 'expires' ? value : JSON.stringify(value)}`).join(', ')} }`;
}

function membersOf({ hash, expires, note }: NewSecret): readonly (readonly [string, string])[] {
  return Object.entries({ hash, expires, note }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
}

function quotedAs({ type }: Scalar, text: string): string {
  return type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE' ? `"${text}"` : text;
}

/** Whether a flow mapping is written as JSON, for readers that understand nothing else. */
function isJson({ items }: YAMLMap): boolean {
  return items.every(({ key }) => isScalar(key) && key.type === 'QUOTE_DOUBLE');
}

function startOf(node: Node): number | undefined {
  return node.range?.[0];
}

function endOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[1] : undefined;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** The end of the line, a comment included, before its line break. */
function lineEnd(text: string, at: number): number {
  // A block scalar ends after its line break.
  if (text[at - 1] === '\n') return text[at - 2] === '\r' ? at - 2 : at - 1;
  const end = text.indexOf('\n', at);
  if (end === -1) return text.length;
  return text[end - 1] === '\r' ? end - 1 : end;
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
