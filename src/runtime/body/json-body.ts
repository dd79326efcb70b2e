import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '../../contract/index.ts';
import { bodyMemory } from '../memory/json-memory.ts';
import { isMaybeMisread, parseExactly } from './exact-json.ts';
import { findFault, isRefusedName, type NumberRule } from './json-fault.ts';
import { finite, isKept, type LostNumbers, lostNumbers } from './json-number.ts';
import { maxDepth, scanJson } from './json-scan.ts';

/** Whether there is room for what a body takes once it is parsed, in bytes: asked before it is. */
export type HasRoom = (bytes: number) => boolean;

export type JsonBody =
  | { readonly ok: true; readonly text: string; readonly value: Record<string, JsonValue> }
  | InvalidJson;

/** `pointer` (RFC 6901, long names shortened) says where. `detail` may repeat a member's name, never a value. */
export interface InvalidJson {
  readonly ok: false;
  readonly pointer?: string;
  readonly detail: string;
}

export type JsonText =
  | {
      readonly ok: true;
      readonly text: string;
      readonly value: JsonValue;
      /** The numbers in it that are not those that were written. */
      readonly lost: LostNumbers | undefined;
    }
  | InvalidJson;

export interface JsonRules {
  readonly hasRoom?: HasRoom | undefined;
  readonly numbers?: NumberRule;
  /** How deep it may be nested; `maxDepth` by default. */
  readonly levels?: number;
}

/** Reads the JSON object in an untrusted request body, as `readJsonText` does. */
export function readJsonBody(bytes: Buffer): JsonBody;
export function readJsonBody(bytes: Buffer, hasRoom: HasRoom | undefined): JsonBody | 'no_room';
export function readJsonBody(bytes: Buffer, hasRoom?: HasRoom): JsonBody | 'no_room' {
  const read = readJsonText(bytes, { hasRoom });
  if (read === 'no_room' || !read.ok) return read;
  const { text, value } = read;
  return isJsonObject(value) ? { ok: true, text, value } : { ok: false, detail: 'The body is not a JSON object.' };
}

/**
 * Reads untrusted JSON. Refuses what two readers may take for two things (a member named twice, a number that a double
 * cannot hold unless any may be sent, bad UTF-8), names that reach for an object's prototype, and nesting deeper than 64
 * levels. A byte order mark is skipped. Never throws.
 */
export function readJsonText(
  sent: Buffer,
  { hasRoom, numbers = 'exact', levels = maxDepth }: JsonRules = {},
): JsonText | 'no_room' {
  const bytes = withoutByteOrderMark(sent);
  if (!isUtf8(bytes)) return { ok: false, detail: 'The body is not valid UTF-8.' };
  const scan = scanJson(bytes, levels);
  if (scan === undefined) return { ok: false, detail: `The body is nested deeper than ${levels} levels.` };
  if (hasRoom?.(bodyMemory(bytes, scan)) === false) return 'no_room';
  const text = bytes.toString('utf8');
  let value: JsonValue;
  try {
    value = JSON.parse(text);
    if (isMaybeMisread(value, text)) value = parseExactly(text);
  } catch (error) {
    return { ok: false, detail: detailOf(error) };
  }
  const lost = numbers === 'any' ? lostNumbers(scan.numbers) : undefined;
  const members = typeof value === 'object' && value !== null ? countMembers(value) : 0;
  // JSON.parse keeps one member of each name, so that an extra colon reveals a second one.
  const isFaulty = members !== scan.colons || (numbers === 'exact' && !scan.numbers.every(isKept));
  if (isFaulty) return { ok: false, ...findFault(text, numbers) };
  return { ok: true, text, value: lost === undefined ? value : allFinite(value), lost };
}

export function isJsonObject(value: JsonValue): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** U+FEFF says nothing about UTF-8, and some senders write it (https://encoding.spec.whatwg.org/#utf-8-decode). */
export function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** The depth has been checked before. */
function allFinite(value: JsonValue): JsonValue {
  if (typeof value === 'number') return finite(value);
  if (typeof value !== 'object' || value === null) return value;
  const members = value as Record<string, JsonValue>;
  for (const [name, member] of Object.entries(members)) {
    const kept = allFinite(member);
    if (kept !== member) members[name] = kept;
  }
  return value;
}

/** How many members the objects in a value have, NaN if one has a refused name. The depth has been checked before. */
function countMembers(value: object): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && item !== null) count += countMembers(item);
    return count;
  }
  const members = value as Record<string, JsonValue>;
  for (const name in members) {
    if (isRefusedName(name)) return Number.NaN;
    const member = members[name];
    count += 1;
    if (typeof member === 'object' && member !== null) count += countMembers(member);
  }
  return count;
}

const position = / in JSON at position \d+ \((line \d+ column \d+)\)$/;

/** Takes from the engine's message only what cannot be a part of the body: other messages end with an excerpt of it. */
function detailOf(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (message === 'Unexpected end of JSON input') return 'The body is not valid JSON: it ends too early.';
  const place = position.exec(message)?.[1];
  return place === undefined ? 'The body is not valid JSON.' : `The body is not valid JSON: see ${place}.`;
}
