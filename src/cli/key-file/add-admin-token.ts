import { type Document, isMap, isSeq, type Pair, type YAMLMap } from 'yaml';
import { checkFile } from '../../config/check-file.ts';
import type { AdminTokenDocument, GatewayDocument } from '../../config/documents.gen.ts';
import { composeDocument } from '../../config/yaml/document.ts';
import { applyEdits, type Edit, insertion } from './edit-text.ts';
import {
  appendItem,
  blockLines,
  endOf,
  eolOf,
  flowMap,
  isJson,
  lineEnd,
  lineStart,
  type Member,
  startOf,
} from './yaml-edits.ts';

/**
 * Adds a token to `admin.tokens` in the text of the Gateway file, in the notation that the file has; every other byte stays.
 * Undefined if the notation is too unusual to be edited.
 */
export function withAdminToken(text: string, before: GatewayDocument, token: AdminTokenDocument): string | undefined {
  const edit = editFor(text, composeDocument(text), membersOf(token));
  if (edit === undefined) return undefined;
  const edited = applyEdits(text, [edit]);
  return declares(edited, expected(before, token)) ? edited : undefined;
}

/** Notations of YAML are many: what counts is that the edited text declares what it should. */
function declares(text: string, document: GatewayDocument): boolean {
  const checked = checkFile(Buffer.from(text));
  return checked.document !== undefined && sorted(checked.document) === sorted(document);
}

/** The order of members has no meaning, and the defaults come last. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_name, member) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : member,
  );
}

function expected(before: GatewayDocument, token: AdminTokenDocument): GatewayDocument {
  return { ...before, admin: { ...before.admin, tokens: [...before.admin.tokens, token] } };
}

function membersOf({ id, role, hash, expires, note }: AdminTokenDocument): readonly Member[] {
  return Object.entries({ id, role, hash, expires, note }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
}

function editFor(text: string, document: Document | undefined, members: readonly Member[]): Edit | undefined {
  const root = document?.contents;
  if (!isMap(root)) return undefined;
  const admin = root.get('admin', true);
  if (admin === undefined) return memberEdit(text, root, 'admin', { tokens: members });
  if (!isMap(admin)) return undefined;
  const tokens = admin.get('tokens', true);
  if (tokens === undefined) return memberEdit(text, admin, 'tokens', { tokens: members });
  if (!isSeq(tokens)) return undefined;
  if (tokens.items.length > 0) return appendItem(text, tokens, members);
  const [start, end] = [startOf(tokens), endOf(tokens)];
  if (start === undefined || end === undefined) return undefined;
  return { from: start, to: end, text: `[${flowMap(members, isJson(admin))}]` };
}

/** A member after the last one of a mapping. */
function memberEdit(
  text: string,
  map: YAMLMap,
  name: 'admin' | 'tokens',
  { tokens }: { readonly tokens: readonly Member[] },
): Edit | undefined {
  if (map.flow) return flowMember(map, name, tokens);
  const last: Pair | undefined = map.items.at(-1);
  const [start, end] = [startOf(map), endOfValue(last)];
  if (start === undefined || end === undefined) return undefined;
  // A byte order mark is no indentation.
  const indent = name === 'admin' ? '' : ' '.repeat(start - lineStart(text, start));
  const [first = '', ...others] = blockLines(tokens);
  const item = [`  - ${first}`, ...others.map((line) => `    ${line}`)];
  const lines = name === 'tokens' ? ['tokens:', ...item] : ['admin:', '  tokens:', ...item.map((line) => `  ${line}`)];
  const eol = eolOf(text);
  return insertion(lineEnd(text, end), lines.map((line) => `${eol}${indent}${line}`).join(''));
}

function flowMember(map: YAMLMap, name: 'admin' | 'tokens', tokens: readonly Member[]): Edit | undefined {
  const asJson = isJson(map);
  const list = `[${flowMap(tokens, asJson)}]`;
  const key = (text: string) => (asJson ? `"${text}"` : text);
  const member = name === 'tokens' ? `${key('tokens')}: ${list}` : `${key('admin')}: { ${key('tokens')}: ${list} }`;
  const end = endOfValue(map.items.at(-1));
  if (end !== undefined) return insertion(end, `, ${member}`);
  const [from, to] = [startOf(map), endOf(map)];
  return from === undefined || to === undefined ? undefined : { from, to, text: `{ ${member} }` };
}

/** A value of several lines ends after its line break. */
function endOfValue(pair: Pair | undefined): number | undefined {
  const end = endOf(pair?.value);
  if (end !== undefined) return innermostEnd(pair?.value) ?? end;
  return undefined;
}

/** Of a mapping or a list in lines, that of its last scalar: comments that follow are not its own. */
function innermostEnd(value: unknown): number | undefined {
  if (isMap(value) && !value.flow) return endOfValue(value.items.at(-1));
  if (isSeq(value) && !value.flow) return innermostEnd(value.items.at(-1)) ?? endOf(value.items.at(-1));
  return endOf(value);
}
