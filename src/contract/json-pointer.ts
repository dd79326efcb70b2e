/**
 * Splits a JSON pointer (RFC 6901) into member names. It is empty or starts with a slash; other text is not checked.
 * @experimental
 */
export function pointerSegments(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/**
 * Returns what a JSON pointer leads to; undefined if there is nothing. Members that every object inherits do not count.
 * @experimental
 */
export function valueAtPointer(value: unknown, pointer: string): unknown {
  let found = value;
  for (const name of pointerSegments(pointer)) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = Reflect.get(found, name);
  }
  return found;
}
