import { isAscii, isUtf8 } from 'node:buffer';
import type { BodyKind } from '../../config/model.ts';
import type { JsonValue } from '../../contract/index.ts';
import { copiesOfAscii, copiesOfOthers, formMemory } from '../memory/json-memory.ts';
import { type FormField, urlencodedFields } from './form-body.ts';
import { type HasRoom, isJsonObject, readJsonText, withoutByteOrderMark } from './json-body.ts';
import { isRefusedName } from './json-fault.ts';
import type { LostNumbers } from './json-number.ts';
import { maxDepth } from './json-scan.ts';
import type { BodyType } from './media-type.ts';
import { multipartFields } from './multipart-body.ts';

/** How a trigger reads bodies. */
export interface BodyRules {
  readonly fields: 'checked' | 'free';
  /** Names of the members of a form that hold JSON. */
  readonly jsonFields: readonly string[];
}

export type Members =
  | {
      readonly kind: 'members';
      readonly value: Record<string, JsonValue>;
      /** The text as sent. */
      readonly text: string;
      /** The members as JSON text, with all digits of their numbers, where `text` is not that. */
      readonly json?: string;
      /** The numbers among them that are not those that were sent. */
      readonly lost: readonly LostNumbers[];
    }
  | { readonly kind: 'no_room' }
  | { readonly kind: 'invalid'; readonly pointer?: string; readonly detail: string };

type Parse = (bytes: Buffer, type: BodyType, rules: BodyRules, hasRoom: HasRoom | undefined) => Members;

/** The parser of each format that a trigger may accept. Its media types are in media-type.ts. */
export const bodyFormats: Readonly<Record<BodyKind, Parse>> = {
  json: readJson,
  form: readForm,
  text: readText,
};

const noneLost: readonly LostNumbers[] = [];
const noRoom: Members = { kind: 'no_room' };
const openBracket = 0x5b;

function readJson(bytes: Buffer, _type: BodyType, { fields }: BodyRules, hasRoom: HasRoom | undefined): Members {
  const isFree = fields === 'free';
  // A list gets into an object, which is a level too.
  const levels = isFree && startsWithList(bytes) ? maxDepth - 1 : maxDepth;
  const read = readJsonText(bytes, { hasRoom, numbers: isFree ? 'any' : 'exact', levels });
  if (read === 'no_room') return noRoom;
  if (!read.ok) return { kind: 'invalid', ...read };
  const { text, value } = read;
  const lost = read.lost === undefined ? noneLost : [read.lost];
  if (isJsonObject(value)) return { kind: 'members', value, text, lost };
  if (!Array.isArray(value)) return { kind: 'invalid', detail: 'The body is not a JSON object.' };
  if (!isFree) {
    const detail = 'The body is a list, not a JSON object. A trigger takes lists with `body: { fields: free }`.';
    return { kind: 'invalid', detail };
  }
  return { kind: 'members', value: { items: value }, text, json: `{"items":${text}}`, lost };
}

function startsWithList(bytes: Buffer): boolean {
  for (const byte of withoutByteOrderMark(bytes)) {
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte === openBracket;
  }
  return false;
}

function readText(bytes: Buffer, _type: BodyType, _rules: BodyRules, hasRoom: HasRoom | undefined): Members {
  const content = withoutByteOrderMark(bytes);
  if (!isUtf8(content)) return { kind: 'invalid', detail: 'The body is not valid UTF-8.' };
  if (hasRoom?.(textMemory(content)) === false) return noRoom;
  const text = content.toString('utf8');
  return { kind: 'members', value: { text }, text, json: JSON.stringify({ text }), lost: noneLost };
}

function readForm(
  bytes: Buffer,
  { boundary }: BodyType,
  { fields: fieldRule, jsonFields }: BodyRules,
  hasRoom: HasRoom | undefined,
): Members {
  const content = withoutByteOrderMark(bytes);
  if (!isUtf8(content)) return { kind: 'invalid', detail: 'The form is not valid UTF-8.' };
  const ofText = textMemory(content);
  if (hasRoom?.(ofText) === false) return noRoom;
  const text = content.toString('utf8');
  const read = boundary === undefined ? urlencodedFields(text) : multipartFields(text, boundary);
  if (!read.ok) return { kind: 'invalid', detail: read.detail };
  const held = ofText + formMemory(read.fields.length);
  if (hasRoom?.(held) === false) return noRoom;
  return membersOf(read.fields, {
    text,
    jsonFields,
    numbers: fieldRule === 'free' ? 'any' : 'exact',
    hasRoom: hasRoom && ((needed) => hasRoom(held + needed)),
  });
}

interface FormParts {
  readonly text: string;
  readonly jsonFields: readonly string[];
  readonly numbers: 'exact' | 'any';
  readonly hasRoom: HasRoom | undefined;
}

/** Values are strings, those of a name that is repeated a list; members that hold JSON have the value that it is. */
function membersOf(fields: readonly FormField[], { text, jsonFields, numbers, hasRoom }: FormParts): Members {
  const value: Record<string, JsonValue> = {};
  const written = new Map<string, string[]>();
  const lost: LostNumbers[] = [];
  let heldByJson = 0;
  const repeated = repeatedNames(fields, jsonFields);
  for (const [name, sent] of fields) {
    if (isRefusedName(name)) return { kind: 'invalid', detail: `No member may be named ${name}.` };
    let member: JsonValue = sent;
    let json = '';
    if (jsonFields.includes(name)) {
      let needed = 0;
      const hasRoomToo = (bytes: number): boolean => {
        needed = bytes;
        return hasRoom?.(heldByJson + bytes) !== false;
      };
      // The members are a level, and the list of a repeated name is one more.
      const levels = repeated.has(name) ? maxDepth - 2 : maxDepth - 1;
      const read = readJsonText(Buffer.from(sent), { hasRoom: hasRoomToo, numbers, levels });
      heldByJson += needed;
      if (read === 'no_room') return noRoom;
      if (!read.ok)
        return { kind: 'invalid', pointer: `/${pointerStep(name)}${read.pointer ?? ''}`, detail: read.detail };
      member = read.value;
      json = read.text;
      if (read.lost !== undefined) lost.push(read.lost);
    } else {
      json = JSON.stringify(sent);
    }
    const texts = written.get(name);
    if (texts === undefined) {
      written.set(name, [json]);
      value[name] = member;
    } else {
      // The list is made here, when the name comes for the second time.
      if (texts.length === 1) value[name] = [value[name] ?? null, member];
      else (value[name] as JsonValue[]).push(member);
      texts.push(json);
    }
  }
  const members = [...written].map(([name, texts]) => {
    const member = texts.length === 1 ? texts[0] : `[${texts.join(',')}]`;
    return `${JSON.stringify(name)}:${member}`;
  });
  return { kind: 'members', value, text, json: `{${members.join(',')}}`, lost };
}

function repeatedNames(fields: readonly FormField[], names: readonly string[]): ReadonlySet<string> {
  const repeated = new Set<string>();
  const seen = new Set<string>();
  for (const [name] of names.length === 0 ? [] : fields) {
    if (!names.includes(name)) continue;
    if (seen.has(name)) repeated.add(name);
    seen.add(name);
  }
  return repeated;
}

function pointerStep(name: string): string {
  return name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1').toWellFormed();
}

function textMemory(bytes: Buffer): number {
  return bytes.length * (isAscii(bytes) ? copiesOfAscii : copiesOfOthers);
}
