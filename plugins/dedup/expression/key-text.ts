import type { JsonValue } from '../../../src/contract/index.ts';

/**
 * Writes a value so that only equal values have the same text; the order of members does not count. Undefined for a value that
 * identifies nothing: none at all, null, an empty text or list, and one with an integer that has lost digits.
 */
export function keyText(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (Array.isArray(value) && value.every((item) => item === null || item === '')) return undefined;
  let isExact = true;
  const text = JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member === 'number' && Number.isInteger(member) && !Number.isSafeInteger(member)) isExact = false;
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([one], [other]) => (one < other ? -1 : 1)));
  });
  return isExact ? text : undefined;
}
