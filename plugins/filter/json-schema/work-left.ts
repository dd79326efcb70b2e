import type { WorstCase } from './worst-case.ts';

/**
 * The units of `limit` that are left for matching texts, after what the schema may cost for a body of this size. Negative
 * if it may exceed the limit: the body is read no further than that. Throws a RangeError if it nests too deeply.
 */
export function workLeft(worstCase: WorstCase, body: unknown, limit: number): number {
  if (worstCase.kind === 'unbounded') return -1;
  const { perValue, perCharacter } = worstCase;
  let left = limit;
  const count = (value: unknown): void => {
    left -= perValue;
    if (left < 0) return;
    if (typeof value === 'string') {
      left -= value.length * perCharacter;
    } else if (Array.isArray(value)) {
      for (const item of value) {
        count(item);
        if (left < 0) return;
      }
    } else if (typeof value === 'object' && value !== null) {
      const members = value as Readonly<Record<string, unknown>>;
      for (const name in members) {
        left -= name.length * perCharacter;
        count(members[name]);
        if (left < 0) return;
      }
    }
  };
  count(body);
  return left;
}
