import type { JsonObject } from '../../src/contract/index.ts';

/** Whether something that is JSON is an object, and no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
