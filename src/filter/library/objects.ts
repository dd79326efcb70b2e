import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { createSequence, FunctionValue, isArray, isNumeric, isObject, namesOf, toText } from '../value.ts';

export const objects = {
  keys(run: Evaluation, value: unknown) {
    const names = createSequence();
    if (isArray(value)) {
      const found: Record<string, true> = Object.create(null);
      collectNames(run, value, found);
      for (const name of namesOf(run, found)) names.push(name);
    } else if (isObject(value)) for (const name of namesOf(run, value)) names.push(name);
    run.checkSequence(names.length);
    return names;
  },
  lookup,
  spread(run: Evaluation, value: unknown) {
    if (!isArray(value) && !isObject(value)) return value;
    const members = createSequence();
    spreadInto(run, members, value);
    run.spendSequence(members.length);
    // Appending turns a sequence into a plain array.
    return isArray(value) && value.some((item) => item !== undefined) ? Array.from(members) : members;
  },
  merge(run: Evaluation, list: readonly object[] | undefined) {
    if (list === undefined) return undefined;
    const merged: Record<string, unknown> = Object.create(null);
    for (const object of list) {
      const names = namesOf(run, object);
      run.spend(names.length * 3 + 2);
      for (const name of names) merged[name] = Reflect.get(object, name);
    }
    return merged;
  },
  error(_run: Evaluation, message?: string) {
    throw new EvaluationError('D3137', { message: message || '$error() function evaluated' });
  },
  assert(_run: Evaluation, condition: boolean | undefined, message?: string) {
    if (!condition) throw new EvaluationError('D3141', { message: message || '$assert() statement failed' });
    return undefined;
  },
  type(_run: Evaluation, value: unknown) {
    if (value === undefined) return undefined;
    if (value === null) return 'null';
    if (isNumeric(value)) return 'number';
    if (typeof value === 'string') return 'string';
    if (typeof value === 'boolean') return 'boolean';
    if (isArray(value)) return 'array';
    return value instanceof FunctionValue ? 'function' : 'object';
  },
  clone(run: Evaluation, value: unknown) {
    if (value === undefined) return undefined;
    const text = toText(run, value);
    // Parsing makes a value of two characters (`[]`) or three (`1,1`).
    run.spend(text.length / 2);
    return JSON.parse(text);
  },
};

/** Looks up a name in a value: its member, or for an array the members of its items in one sequence. */
export function lookup(run: Evaluation, value: unknown, name: string): unknown {
  if (!isArray(value)) return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  const found = createSequence();
  run.spend(value.length * 2);
  for (const item of value) {
    const member = lookup(run, item, name);
    if (isArray(member)) {
      run.spendSequence(member.length, found.length);
      for (const each of member) found.push(each);
    } else if (member !== undefined) found.push(member);
  }
  run.checkSequence(found.length);
  return found;
}

/** Descends into nested arrays; each name is listed once. */
function collectNames(run: Evaluation, items: readonly unknown[], names: Record<string, true>): void {
  run.spend(items.length);
  for (const item of items) {
    if (isArray(item)) collectNames(run, item, names);
    else if (isObject(item)) {
      for (const name of namesOf(run, item)) names[name] = true;
    }
  }
}

function spreadInto(run: Evaluation, members: unknown[], value: unknown): void {
  run.spend(1);
  if (isArray(value)) for (const item of value) spreadInto(run, members, item);
  else if (isObject(value)) {
    const names = namesOf(run, value);
    run.checkSequence(members.length + names.length);
    run.spend(names.length * 6);
    for (const name of names) {
      const member = value[name];
      members.push(Object.assign(Object.create(null), { [name]: member }));
    }
  } else if (value !== undefined) members.push(value);
  run.checkSequence(members.length);
}
