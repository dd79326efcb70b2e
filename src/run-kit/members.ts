import type { JsonObject, JsonValue } from '../contract/index.ts';

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of a value: none unless it is an object. */
export function membersOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** An id that an agent gave, if it is one that may be stored and sent back. */
export function idIn(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 128 ? value : undefined;
}

export function countIn(value: JsonValue | undefined): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}
