import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { type Group, isPlain, type Node, NotCompilable, required } from '../node.ts';
import { isArray, sequenceOf } from '../value.ts';
import { compile } from './compile.ts';
import type { Evaluator, Frame } from './evaluator.ts';
import { boundNames, type Scope } from './scope.ts';
import { weightOf } from './weight.ts';

export function compileArray(node: Node, scope: Scope): Evaluator {
  refuseBinds(node.expressions ?? []);
  const items = required(node.expressions).map((item) => ({
    // A nested array constructor adds one item; other arrays are flattened into theirs.
    nests: item.value === '[',
    evaluate: compile(item, scope),
  }));
  const { consarray } = node;
  return (run, input, frame) => {
    const result: unknown[] = [];
    for (const { nests, evaluate } of items) {
      const value = evaluate(run, input, frame);
      if (value === undefined) continue;
      if (!nests && isArray(value)) {
        run.checkSequence(result.length + value.length);
        run.spend(value.length * 2);
        for (const item of value) result.push(item);
      } else result.push(value);
    }
    return consarray === true ? Object.defineProperty(result, 'cons', { value: true }) : result;
  };
}

/** The reference evaluates items concurrently: which of them see a variable that one binds depends on timing. */
function refuseBinds(items: object): void {
  if (boundNames(items).length > 0) throw new NotCompilable('an item of a constructor binds a variable');
}

export function compileGroup(node: Node, scope: Scope): Evaluator {
  return groupBy(node as unknown as Group, scope);
}

/** What creating an object without a prototype costs. */
const costOfObject = 6;
/** What a member of an object costs in addition to its key and value. */
const costOfPair = 2;
/** What a group costs: with many, their objects are rehashed as they grow. */
function costOfGroup(count: number): number {
  return count <= 16 ? 2 : 20;
}
/** The characters of a key that are hashed in the time of one unit. */
const costlessKey = 32;

/** The items collected under one key, and the pair of the constructor that the key belongs to. */
interface Collected {
  items: unknown;
  readonly pair: number;
  /** Whether `items` was created here and may be modified. */
  isOwn: boolean;
}

/** `{ key: value, … }`: adds each item of its input to the groups of its keys. */
export function groupBy(
  group: Group,
  scope: Scope,
): (run: Evaluation, value: unknown, frame: Frame | undefined) => unknown {
  refuseBinds(group.lhs);
  const pairs = group.lhs.map(([key, value]) => [compile(key, scope), compile(value, scope)] as const);
  const { position } = group;
  const costOfKeys = pairs.length * costOfPair + weightOf(...group.lhs.map(([key]) => key));
  const costsOfValues = group.lhs.map(([, value]) => costOfPair + weightOf(value));
  const constructs = directConstructor(group, pairs);
  return (run, value, frame) => {
    if (constructs !== undefined && !isArray(value)) return constructs(run, value, frame);
    const items = isArray(value) ? value : sequenceOf(value);
    const groups: Record<string, Collected> = Object.create(null);
    let count = 0;
    run.spend(costOfObject + Math.max(1, items.length) * costOfKeys);
    for (const item of items.length === 0 ? [undefined] : items) {
      pairs.forEach(([evaluateKey], pair) => {
        const key = evaluateKey(run, item, frame);
        if (key === undefined) return;
        if (typeof key !== 'string') throw new EvaluationError('T1003', { value: key }, position);
        if (key === '_jsonata_lambda' || key === '_jsonata_function') {
          throw new EvaluationError('D1013', { value: key }, position);
        }
        run.spend(key.length / costlessKey);
        const collected = groups[key];
        if (collected === undefined) run.spend(costOfGroup(++count));
        if (collected === undefined) groups[key] = { items: item, pair, isOwn: false };
        else if (collected.pair !== pair) throw new EvaluationError('D1009', { value: key }, position);
        else collect(run, collected, item);
      });
    }
    const result: Record<string, unknown> = Object.create(null);
    for (const key of Object.keys(groups)) {
      const collected = groups[key] as Collected;
      run.spend((costsOfValues[collected.pair] ?? 0) + key.length / costlessKey);
      const member = pairs[collected.pair]?.[1](run, collected.items, frame);
      if (member !== undefined) result[key] = member;
    }
    return result;
  };
}

type Pair = readonly [key: Evaluator, value: Evaluator];

/** A constructor with constant keys makes one object of a single value, without groups. */
function directConstructor(group: Group, pairs: readonly Pair[]): Evaluator | undefined {
  const keys = group.lhs.map(([key]) => (key.type === 'string' && isPlain(key) ? String(key.value) : undefined));
  const members: (readonly [string, Evaluator])[] = [];
  for (const [index, key] of keys.entries()) {
    // Groups with numbers for names come first, in their order.
    if (key === undefined || /^\d|^_jsonata_/.test(key) || keys.indexOf(key) !== index) return undefined;
    members.push([key, (pairs[index] as Pair)[1]]);
  }
  const cost = costOfObject + members.length * costOfPair + weightOf(...group.lhs.map(([, value]) => value));
  return (run, value, frame) => {
    run.spend(cost);
    const result: Record<string, unknown> = Object.create(null);
    for (const [key, evaluate] of members) {
      const member = evaluate(run, value, frame);
      if (member !== undefined) result[key] = member;
    }
    return result;
  };
}

/** Adds an item as $append does, but in place, so that a large group does not take quadratic time. */
function collect(run: Evaluation, collected: Collected, item: unknown): void {
  if (item === undefined) return;
  if (collected.items === undefined) {
    collected.items = item;
    return;
  }
  if (!collected.isOwn) {
    run.spend(isArray(collected.items) ? collected.items.length : 1);
    collected.items = isArray(collected.items) ? Array.from(collected.items) : [collected.items];
    collected.isOwn = true;
  }
  const items = collected.items as unknown[];
  run.checkSequence(items.length + (isArray(item) ? item.length : 1));
  if (isArray(item)) {
    run.spend(item.length);
    for (const each of item) items.push(each);
  } else items.push(item);
}
