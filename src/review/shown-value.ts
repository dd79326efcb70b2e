import type { JsonValue } from '../contract/index.ts';

/** A value as JSON, with the names of numbers that JSON would turn into null: NaN, Infinity, -Infinity. */
export function withNamedNumbers(value: JsonValue): JsonValue {
  const text = JSON.stringify(value, (_name, member: unknown) => (isUnknownToJson(member) ? String(member) : member));
  return JSON.parse(text) as JsonValue;
}

/** A value on one line, at most `longest` characters. */
export function shownValue(value: JsonValue | undefined, longest: number): string {
  if (value === undefined) return 'nothing';
  const text = isUnknownToJson(value) ? String(value) : JSON.stringify(withNamedNumbers(value));
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

function isUnknownToJson(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value);
}
