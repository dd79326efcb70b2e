import { WorkBudget } from '../work/work-budget.ts';
import { EvaluationError, toEvaluationError } from './evaluation-error.ts';
import type { PlainValue } from './filter-expression.ts';
import { defaultLimits } from './limits.ts';
import { FunctionValue } from './value.ts';

/** What a value of a result costs, or a name: it is measured, copied, and at least once written as JSON. */
const costOfValue = 3;
const costOfName = 1;
/** A name of an object with many: V8 keeps their members in a hash table, which grows with each that is copied. */
const costOfNameOfMany = 20;
const many = 64;
/** Characters of a result that are copied and written in the time of one unit. */
const textPerUnit = 8;
/** The nesting of arrays and objects in a result. */
const maxDepth = 1000;

/**
 * Converts a value to plain JSON, without functions and without JSONata's marks on arrays.
 *
 * Values of a result can share parts, e.g. `items.{ "order": $$ }`, which are written once for each value. So the size that
 * it will have is charged to the budget before anything is copied. Throws an EvaluationError if the result is too large
 * (D1012, with `isResult` in its details), or nested deeper than a thousand levels (D1011).
 * @param budget what is left of the evaluation's budget; by default a budget of its own
 * @param numbers `as JSON`: null for NaN and infinite ones, which JSON cannot represent
 */
export function toPlain(
  value: unknown,
  budget = new WorkBudget(defaultLimits.maxSteps),
  numbers: 'as JSON' | 'as they are' = 'as JSON',
): PlainValue | undefined {
  try {
    measure(budget, value, 0);
  } catch (error) {
    const { code, details } = toEvaluationError(error);
    throw new EvaluationError(code, { ...details, isResult: true });
  }
  return isPlain(value) ? copy(value, numbers === 'as JSON') : undefined;
}

function measure(budget: WorkBudget, value: unknown, depth: number): void {
  if (typeof value === 'string') {
    budget.spend(costOfValue + value.length / textPerUnit);
    return;
  }
  budget.spend(costOfValue);
  if (typeof value !== 'object' || value === null || value instanceof FunctionValue) return;
  if (depth >= maxDepth) throw new EvaluationError('D1011', { value: maxDepth });
  if (Array.isArray(value)) {
    budget.afford(value.length * costOfValue);
    for (const item of value) measure(budget, item, depth + 1);
    return;
  }
  const names = Object.keys(value);
  const costOfEach = names.length > many ? costOfNameOfMany : costOfName;
  budget.afford(names.length * (costOfEach + costOfValue));
  for (const name of names) {
    budget.spend(costOfEach + name.length / textPerUnit);
    measure(budget, Reflect.get(value, name), depth + 1);
  }
}

function copy(value: unknown, asJson: boolean): PlainValue {
  if (typeof value === 'number') return asJson && !Number.isFinite(value) ? null : value;
  if (typeof value !== 'object' || value === null) return value as string | boolean | null;
  if (Array.isArray(value)) {
    const items: PlainValue[] = [];
    for (const item of value) if (isPlain(item)) items.push(copy(item, asJson));
    return items;
  }
  const members: Record<string, PlainValue> = {};
  for (const name of Object.keys(value)) {
    const member: unknown = Reflect.get(value, name);
    if (!isPlain(member)) continue;
    // Assigned, it would become the prototype.
    if (name === '__proto__') Object.defineProperty(members, name, { ...plainMember, value: copy(member, asJson) });
    else members[name] = copy(member, asJson);
  }
  return members;
}

const plainMember = { configurable: true, enumerable: true, writable: true };

function isPlain(value: unknown): boolean {
  return value !== undefined && !(value instanceof FunctionValue);
}
