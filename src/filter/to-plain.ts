import type { PlainValue } from './filter-expression.ts';
import { FunctionValue } from './value.ts';

/** Converts a value to plain JSON, without functions and without JSONata's marks on arrays. */
export function toPlain(value: unknown): PlainValue | undefined {
  const isPlainItem = (item: unknown) => item !== undefined && !(item instanceof FunctionValue);
  const text = JSON.stringify(value, (_name, member: unknown) => {
    if (Array.isArray(member)) return member.filter(isPlainItem);
    return isPlainItem(member) ? member : undefined;
  });
  return text === undefined ? undefined : JSON.parse(text);
}
