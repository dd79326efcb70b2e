import { isMap, isScalar, isSeq, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { checkFile } from '../../config/check-file.ts';
import type { ApiKeyDocument } from '../../config/documents.gen.ts';
import { composeDocument } from '../../config/yaml/document.ts';
import { applyEdits, type Edit, insertion } from './edit-text.ts';
import { appendItem, endOf, eolOf, isJson, lineEnd, lineStart, type Member, startOf } from './yaml-edits.ts';

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
  const edits = [...expiries].map(([index, expires]) => expiryEdit(text, items[index], expires));
  edits.push(appendItem(text, secrets, membersOf(secret)));
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

function membersOf({ hash, expires, note }: NewSecret): readonly Member[] {
  return Object.entries({ hash, expires, note }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
}

function quotedAs({ type }: Scalar, text: string): string {
  return type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE' ? `"${text}"` : text;
}
