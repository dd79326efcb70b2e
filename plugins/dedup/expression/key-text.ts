import type { Exchange, JsonValue, WorkBudget } from '../../../src/contract/index.ts';

type HasLostDigits = Exchange['hasLostDigits'];

/** Units to write a value, or the name of a member. */
const costOfValue = 4;
/** Units for each comparison that sorting a name takes. */
const costOfComparison = 2;
/** Characters that are written and hashed in the time of one unit. */
const textPerUnit = 8;

/**
 * Writes a value so that only equal values have the same text; the order of members does not count. Undefined for a value that
 * identifies nothing: none at all, null, an empty text or list, and one with a number that has lost digits.
 *
 * Pays before it writes or sorts: throws a WorkExhausted.
 */
export function keyText(
  value: JsonValue | undefined,
  work: WorkBudget,
  hasLostDigits?: HasLostDigits,
): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (Array.isArray(value) && value.every((item) => item === null || item === '')) return undefined;
  return textOf(value, work, hasLostDigits);
}

/** Undefined if a number in it is not exact. */
function textOf(value: JsonValue, work: WorkBudget, hasLostDigits: HasLostDigits): string | undefined {
  if (typeof value === 'string') {
    work.spend(costOfValue + value.length / textPerUnit);
    return JSON.stringify(value);
  }
  work.spend(costOfValue);
  if (typeof value !== 'object' || value === null)
    return isExact(value, hasLostDigits) ? JSON.stringify(value) : undefined;
  const isList = Array.isArray(value);
  let text = '';
  for (const name of isList ? value.keys() : sortedNames(value, work)) {
    const member = textOf(Reflect.get(value, name), work, hasLostDigits);
    if (member === undefined) return undefined;
    if (text !== '') text += ',';
    if (!isList) text += `${JSON.stringify(name)}:`;
    text += member;
  }
  return isList ? `[${text}]` : `{${text}}`;
}

/** In the order of UTF-16 units. */
function sortedNames(value: object, work: WorkBudget): readonly string[] {
  const names = Object.keys(value);
  work.spend(names.length * (costOfValue + costOfComparison * Math.log2(names.length + 1)));
  for (const { length } of names) work.spend(length / textPerUnit);
  return names.sort();
}

function isExact(value: JsonValue, hasLostDigits: HasLostDigits): boolean {
  if (typeof value !== 'number') return true;
  return (!Number.isInteger(value) || Number.isSafeInteger(value)) && hasLostDigits?.(value) !== true;
}
