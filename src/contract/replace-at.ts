import type { JsonObject, JsonValue } from './json.ts';

/**
 * The value with what stands at a JSON pointer (RFC 6901) replaced, and the value itself if nothing stands there. For
 * the gateway and its engines, both of which mask; no part of the published contract.
 */
export function replaceAt(value: JsonValue, pointer: string, replace: (found: JsonValue) => JsonValue): JsonValue {
  return replaceBelow(value, segmentsOf(pointer), replace);
}

function replaceBelow(
  value: JsonValue,
  [name, ...rest]: readonly string[],
  replace: (found: JsonValue) => JsonValue,
): JsonValue {
  if (name === undefined) return replace(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const index = /^(0|[1-9][0-9]{0,9})$/.test(name) ? Number(name) : -1;
    return index in value ? value.with(index, replaceBelow(value[index] ?? null, rest, replace)) : value;
  }
  const object = value as JsonObject;
  if (!Object.hasOwn(object, name)) return value;
  const before = object[name] ?? null;
  const after = replaceBelow(before, rest, replace);
  return after === before ? value : { ...object, [name]: after };
}

/** RFC 6901 §4. */
function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}
