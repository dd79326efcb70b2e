import { type Evaluation, largeLength } from './evaluation.ts';
import { EvaluationError } from './evaluation-error.ts';

/**
 * An array created by an evaluation, with JSONata's marks. A `sequence` of one item unwraps to that item, unless
 * `keepSingleton` is set; `cons` marks an array constructor in a path, which is not flattened; `outerWrapper` wraps an
 * input that is an array itself. Arrays parsed from JSON cannot have such members.
 */
export interface MarkedArray extends Array<unknown> {
  sequence?: true;
  keepSingleton?: true;
  cons?: true;
  outerWrapper?: true;
}

/** A callable value: a built-in, a lambda, or a regular expression. */
export class FunctionValue {
  readonly arity: number;
  /** Calls it with arguments that fit its signature. `context` is the caller's context value. */
  readonly invoke: (run: Evaluation, args: unknown[], context: unknown) => unknown;
  /** Checks and completes arguments; if absent, they are passed unchanged. */
  readonly validate: ((run: Evaluation, args: unknown[], context: unknown) => unknown[]) | undefined;
  /** Calls it with as many of a higher-order function's arguments as it accepts. If absent, `invoke` is used. */
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

/** Names of the own members of a FunctionValue. */
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

/** The initial context of an evaluation: an input array is wrapped, so that it counts as one value. */
export function contextOf(input: unknown): unknown {
  if (!Array.isArray(input)) return input;
  const outer = sequenceOf(input);
  outer.outerWrapper = true;
  return outer;
}

export function isArray(value: unknown): value is MarkedArray {
  return Array.isArray(value);
}

/** Whether it is an object with members: neither an array nor a function. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof FunctionValue);
}

/** An empty sequence becomes undefined, and one of a single item becomes the item. */
export function unwrap(value: unknown): unknown {
  if (!isArray(value) || value.sequence !== true) return value;
  if (value.length === 0) return undefined;
  return value.length === 1 && value.keepSingleton !== true ? value[0] : value;
}

/** Whether it is a number for arithmetic. NaN is not; an infinite number throws. */
export function isNumeric(value: unknown): value is number {
  if (typeof value !== 'number' || Number.isNaN(value)) return false;
  if (value === Infinity || value === -Infinity) throw new EvaluationError('D1001', { value });
  return true;
}

/** JSONata's $boolean, with false for undefined. Charges `run`, if given, for each value visited. */
export function isTruthy(run: Evaluation | undefined, value: unknown): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return value !== '';
    case 'number':
      return isNumeric(value) && value !== 0;
    case 'object':
      if (value === null || value instanceof FunctionValue) return false;
      return Array.isArray(value) ? isAnyTruthy(run, value) : hasMembers(run, value);
    default:
      return false;
  }
}

/** Visits every item, since an infinite number throws at any index. */
function isAnyTruthy(run: Evaluation | undefined, items: readonly unknown[]): boolean {
  run?.spend(items.length);
  let any = false;
  for (const item of items) if (isTruthy(run, item)) any = true;
  return any;
}

/** JavaScript has no cheaper check for an empty object than listing all its members. */
function hasMembers(run: Evaluation | undefined, value: object): boolean {
  return namesOf(run, value).length > 0;
}

/** What listing a name costs, and one of an object with many: V8 keeps their members in a hash table. */
const costOfName = 1.5;
const costOfNameOfMany = 9;
const many = 64;

/**
 * The names of an object's members. JavaScript has no cheaper way to count them, so this is paid afterwards: all other
 * work with them is not done unless it is paid.
 */
export function namesOf(run: Evaluation | undefined, value: object): readonly string[] {
  const names = Object.keys(value);
  run?.spend(names.length * (names.length > many ? costOfNameOfMany : costOfName));
  return names;
}

/** The equality of `=`: deep, and independent of member order. Charges `run` for each value visited. */
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
  // An array also has a length, so that only an object that imitates one can equal it.
  if (isArray(left) !== isArray(right) && !Object.hasOwn(isArray(left) ? right : left, 'length')) return false;
  const names = ownNames(run, left);
  if (names.length !== ownNames(run, right).length) return false;
  for (const name of names) {
    if (!Object.hasOwn(right, name)) return false;
    if (!isDeepEqual(run, Reflect.get(left, name), Reflect.get(right, name))) return false;
  }
  return true;
}

/** Compared with an object, an array has its `length` and its marks as members, as in JSONata. */
function ownNames(run: Evaluation, value: object): readonly string[] {
  if (!Array.isArray(value)) return namesOf(run, value);
  run.spend(value.length * costOfNameOfMany);
  return Object.getOwnPropertyNames(value);
}

/** Rounding a number takes a text. */
const costOfRounding = 4;

/** JSONata's $string. */
export function toText(run: Evaluation, value: unknown, indent = 0): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new EvaluationError('D3001', { value });
    run.spend(costOfRounding);
    return String(toPrecision(value));
  }
  if (value instanceof FunctionValue) return '';
  // Each line is indented by the depth of its value.
  const costOfValue = indent === 0 ? 4 : 4 + nestingOf(run, value);
  const replace = (name: string, member: unknown): unknown => {
    run.spend(costOfValue + name.length / 8);
    if (typeof member === 'number') {
      if (!Number.isInteger(member)) run.spend(costOfRounding);
      return isNumeric(member) ? toPrecision(member) : member;
    }
    if (typeof member === 'string') run.spendText(member.length * 10);
    return member instanceof FunctionValue ? '' : member;
  };
  return JSON.stringify(isArray(value) && value.outerWrapper === true ? value[0] : value, replace, indent);
}

/** The nesting depth of objects and arrays. */
function nestingOf(run: Evaluation, value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof FunctionValue) return 0;
  let deepest = 0;
  if (Array.isArray(value)) {
    run.spend(value.length);
    for (const item of value) deepest = Math.max(deepest, nestingOf(run, item));
    return deepest + 1;
  }
  for (const name of namesOf(run, value)) deepest = Math.max(deepest, nestingOf(run, Reflect.get(value, name)));
  return deepest + 1;
}

function toPrecision(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(15));
}

/** Combines two values into an array, as $append does: undefined adds nothing, an array adds its items. */
export function append(run: Evaluation, left: unknown, right: unknown): unknown {
  if (left === undefined) return right;
  if (right === undefined) return left;
  const length = (isArray(left) ? left.length : 1) + (isArray(right) ? right.length : 1);
  run.checkSequence(length);
  run.spend(length > largeLength ? length / 2 : length / 8 + 1);
  return (isArray(left) ? left : [left]).concat(right);
}
