import type { Evaluation } from './evaluation.ts';
import { EvaluationError } from './evaluation-error.ts';

/**
 * An array made by an evaluation, with JSONata's marks. A `sequence` of one item is that item, unless `keepSingleton`
 * says otherwise; `cons` came from an array constructor in a path and is not flattened; `outerWrapper` holds an input
 * that is an array itself. Arrays of a JSON text cannot have such members.
 */
export interface MarkedArray extends Array<unknown> {
  sequence?: true;
  keepSingleton?: true;
  cons?: true;
  outerWrapper?: true;
}

/** Something that can be called: a built-in, a lambda, or a regular expression. */
export class FunctionValue {
  readonly arity: number;
  /** Calls it with arguments that fit its signature. `context` is what the caller stands at. */
  readonly invoke: (run: Evaluation, args: unknown[], context: unknown) => unknown;
  /** Checks and completes arguments; without it, they are taken as they are. */
  readonly validate: ((args: unknown[], context: unknown) => unknown[]) | undefined;
  /** Calls it with as many of what a higher-order function gives as it takes. Without it, `invoke` does. */
  readonly callBack: ((run: Evaluation, item: unknown, key: unknown, all: unknown) => unknown) | undefined;

  constructor(
    arity: number,
    invoke: FunctionValue['invoke'],
    validate?: FunctionValue['validate'],
    callBack?: FunctionValue['callBack'],
  ) {
    this.arity = arity;
    this.invoke = invoke;
    this.validate = validate;
    this.callBack = callBack;
  }
}

/** Names that a FunctionValue has as members of its own. */
export const functionMembers: ReadonlySet<string> = new Set(['arity', 'invoke', 'validate', 'callBack']);

export function createSequence(): MarkedArray {
  const items: MarkedArray = [];
  items.sequence = true;
  return items;
}

export function sequenceOf(item: unknown): MarkedArray {
  const items: MarkedArray = [item];
  items.sequence = true;
  return items;
}

export function isArray(value: unknown): value is MarkedArray {
  return Array.isArray(value);
}

/** Whether it is an object with members: not an array, not a function. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof FunctionValue);
}

/** An empty sequence is nothing, and one of a single item is the item. */
export function unwrap(value: unknown): unknown {
  if (!isArray(value) || value.sequence !== true) return value;
  if (value.length === 0) return undefined;
  return value.length === 1 && value.keepSingleton !== true ? value[0] : value;
}

/** Whether it is a number to calculate with. NaN is none; an infinite one is an error. */
export function isNumeric(value: unknown): value is number {
  if (typeof value !== 'number' || Number.isNaN(value)) return false;
  if (value === Infinity || value === -Infinity) throw new EvaluationError('D1001', { value });
  return true;
}

/** JSONata's $boolean, with false for undefined. */
export function isTruthy(value: unknown): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return value !== '';
    case 'number':
      return isNumeric(value) && value !== 0;
    case 'object':
      if (value === null || value instanceof FunctionValue) return false;
      if (!Array.isArray(value)) return hasMembers(value);
      return isAnyTruthy(value);
    default:
      return false;
  }
}

/** Looks at every item, since an infinite number is an error wherever it stands. */
function isAnyTruthy(items: readonly unknown[]): boolean {
  let any = false;
  for (const item of items) if (isTruthy(item)) any = true;
  return any;
}

function hasMembers(value: object): boolean {
  for (const name in value) if (Object.hasOwn(value, name)) return true;
  return false;
}

/** The equality of `=`: deep, whatever the order of members. Pays for what it looks at. */
export function isDeepEqual(run: Evaluation, left: unknown, right: unknown): boolean {
  if (typeof left === 'string') {
    if (left.length > 256) run.spendText(left.length);
    return left === right;
  }
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (isArray(left) && isArray(right)) {
    if (left.length !== right.length) return false;
    run.spend(left.length);
    for (let index = 0; index < left.length; index += 1) {
      if (!isDeepEqual(run, left[index], right[index])) return false;
    }
    return true;
  }
  if (left instanceof FunctionValue || right instanceof FunctionValue) return false;
  const names = ownNames(left);
  if (names.length !== ownNames(right).length) return false;
  run.spend(names.length);
  for (const name of names) {
    if (!Object.hasOwn(right, name)) return false;
    if (!isDeepEqual(run, Reflect.get(left, name), Reflect.get(right, name))) return false;
  }
  return true;
}

/** An array compared with an object has its `length` and its marks as members, as JSONata sees it. */
function ownNames(value: object): string[] {
  return Array.isArray(value) ? Object.getOwnPropertyNames(value) : Object.keys(value);
}

/** JSONata's $string. */
export function toText(run: Evaluation, value: unknown, indent = 0): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new EvaluationError('D3001', { value });
    return String(toPrecision(value));
  }
  if (value instanceof FunctionValue) return '';
  const text = JSON.stringify(isArray(value) && value.outerWrapper === true ? value[0] : value, replace, indent);
  run.spendText(text.length * 16);
  return text;
}

function replace(_name: string, value: unknown): unknown {
  if (typeof value === 'number') return isNumeric(value) ? toPrecision(value) : value;
  return value instanceof FunctionValue ? '' : value;
}

function toPrecision(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(15));
}

/** Joins two values into an array, as $append does: what is nothing adds nothing, what is an array adds its items. */
export function append(run: Evaluation, left: unknown, right: unknown): unknown {
  if (left === undefined) return right;
  if (right === undefined) return left;
  run.spendSequence((isArray(left) ? left.length : 1) + (isArray(right) ? right.length : 1));
  // Not concat of the values themselves, which would keep holes and copy no marks either.
  return (isArray(left) ? Array.from(left) : [left]).concat(right);
}
