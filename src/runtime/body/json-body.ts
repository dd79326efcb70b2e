import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '../../contract/index.ts';
import { bodyMemory } from '../memory/json-memory.ts';
import { isMaybeMisread, parseExactly } from './exact-json.ts';
import { findFault, isRefusedName } from './json-fault.ts';
import { isKept } from './json-number.ts';
import { maxDepth, scanJson } from './json-scan.ts';

/** Whether there is room for what a body takes once it is parsed, in bytes: asked before it is. */
export type HasRoom = (bytes: number) => boolean;

export type JsonBody =
  | { readonly ok: true; readonly text: string; readonly value: Record<string, JsonValue> }
  /** `pointer` (RFC 6901, long names shortened) says where. `detail` may repeat a member's name, never a value. */
  | { readonly ok: false; readonly pointer?: string; readonly detail: string };

/**
 * Reads the JSON object in an untrusted request body. Refuses what two readers may take for two things (a member named
 * twice, a number that a double cannot hold, bad UTF-8), names that reach for an object's prototype, and nesting deeper
 * than 64 levels. Never throws.
 */
export function readJsonBody(bytes: Buffer): JsonBody;
export function readJsonBody(bytes: Buffer, hasRoom: HasRoom | undefined): JsonBody | 'no_room';
export function readJsonBody(bytes: Buffer, hasRoom?: HasRoom): JsonBody | 'no_room' {
  if (!isUtf8(bytes)) return { ok: false, detail: 'The body is not valid UTF-8.' };
  const scan = scanJson(bytes);
  if (scan === undefined) return { ok: false, detail: `The body is nested deeper than ${maxDepth} levels.` };
  if (hasRoom?.(bodyMemory(bytes, scan)) === false) return 'no_room';
  const text = bytes.toString('utf8');
  let value: JsonValue;
  try {
    value = JSON.parse(text);
    if (isMaybeMisread(value, text)) value = parseExactly(text);
  } catch (error) {
    return { ok: false, detail: detailOf(error, text) };
  }
  if (!isObject(value)) return { ok: false, detail: 'The body is not a JSON object.' };
  // JSON.parse keeps one member of each name, so that an extra colon reveals a second one.
  if (countMembers(value) !== scan.colons || !scan.numbers.every(isKept)) return { ok: false, ...findFault(text) };
  return { ok: true, text, value };
}

function isObject(value: JsonValue): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
function detailOf(error: unknown, text: string): string {
  if (text.startsWith('\ufeff')) return 'The body starts with a byte order mark, which JSON does not allow.';
  const message = error instanceof Error ? error.message : '';
  if (message === 'Unexpected end of JSON input') return 'The body is not valid JSON: it ends too early.';
  const place = position.exec(message)?.[1];
  return place === undefined ? 'The body is not valid JSON.' : `The body is not valid JSON: see ${place}.`;
}
