import type { JsonObject, JsonValue } from '../contract/index.ts';

/** Returns whether JSON is an object: no array and not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the members of JSON; none unless it is an object. */
export function membersOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** Returns an id of an agent, if it may be stored and sent back, also as a segment of a path; at most 128 characters. */
export function idIn(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value.length <= 128 && !/^\.{0,2}$/.test(value) ? value : undefined;
}

/** Returns a number that counts something: a safe integer that is not negative. */
export function countIn(value: JsonValue | undefined): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}
