import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { isObject } from '../../../src/run-kit/index.ts';
import { notA2a, unusable } from './faults.ts';

/** Returns the parts of a message or an artifact. Throws an AgentFault if they are not parts. */
export function partsIn({ parts }: JsonObject): JsonObject[] {
  return listIn(parts);
}

/** Returns the items of a list, which may be left out if it is empty. Throws an AgentFault if it is not one of objects. */
export function listIn(value: JsonValue | undefined): JsonObject[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject)) throw notA2a();
  return value;
}

export function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Returns the texts of parts, none of them empty: data parts are JSON, files have none. Throws an AgentFault. */
export function piecesOf(parts: readonly JsonObject[]): string[] {
  return parts.flatMap(({ text, data = null, raw = '' }) => {
    if (typeof raw !== 'string') throw unusable('a file that is not base64 text');
    if (textIn(text) !== '') return [textIn(text)];
    return data === null ? [] : [JSON.stringify(data)];
  });
}

/** The text of a message as one piece. Its parts are lines, whereas those of an artifact are joined as they were streamed. */
export function messagePieces(parts: readonly JsonObject[]): string[] {
  const pieces = piecesOf(parts);
  return pieces.length === 0 ? [] : [pieces.join('\n')];
}

/** Whether a part is text that is not empty. */
export function hasText(parts: readonly JsonObject[]): boolean {
  return parts.some(({ text }) => textIn(text) !== '');
}

/**
 * The text of parts if there is any, else their data: the value of a single part, a list of the values of several. If there
 * is neither, the parts that are something else, e.g. files, as they are.
 */
export function outputOf(parts: readonly JsonObject[], text: () => string): JsonValue {
  if (hasText(parts)) return text();
  const values = parts.flatMap(({ data = null }) => (data === null ? [] : [data]));
  if (values.length > 0) return (values.length > 1 ? values : values[0]) ?? null;
  const others = parts.filter((part) => typeof part.text !== 'string' && !('data' in part));
  return others.length > 0 ? others : null;
}

/** Returns a text; empty if the value is none. */
export function textIn(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
