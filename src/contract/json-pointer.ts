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
