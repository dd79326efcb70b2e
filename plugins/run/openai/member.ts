import type { JsonValue } from '../../../src/contract/index.ts';
import { isObject } from '../../../src/run-kit/index.ts';

/** The member at a path. An endpoint may send any JSON: it is read member by member, and never trusted to have a type. */
export function memberOf(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let found = value;
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

/** The text at a path; empty if there is none. */
export function textAt(value: JsonValue | undefined, ...path: readonly string[]): string {
  const found = memberOf(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** The items of the array at a path; empty if there is no array. */
export function itemsAt(value: JsonValue | undefined, ...path: readonly string[]): readonly JsonValue[] {
  const found = memberOf(value, ...path);
  return Array.isArray(found) ? found : [];
}
