import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { type Group, type Node, NotCompilable, required } from '../node.ts';
import { isArray, sequenceOf } from '../value.ts';
import { compile } from './compile.ts';
import type { Evaluator, Frame } from './evaluator.ts';
import { boundNames, type Scope } from './scope.ts';

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
        run.spendSequence(result.length + value.length);
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
  return (run, value, frame) => {
    const items = isArray(value) ? value : sequenceOf(value);
    const groups: Record<string, Collected> = Object.create(null);
    run.spend(items.length);
    for (const item of items.length === 0 ? [undefined] : items) {
      pairs.forEach(([evaluateKey], pair) => {
        const key = evaluateKey(run, item, frame);
        if (key === undefined) return;
        if (typeof key !== 'string') throw new EvaluationError('T1003', { value: key }, position);
        if (key === '_jsonata_lambda' || key === '_jsonata_function') {
          throw new EvaluationError('D1013', { value: key }, position);
        }
        const collected = groups[key];
        if (collected === undefined) groups[key] = { items: item, pair, isOwn: false };
        else if (collected.pair !== pair) throw new EvaluationError('D1009', { value: key }, position);
        else collect(run, collected, item);
      });
    }
    const result: Record<string, unknown> = Object.create(null);
    for (const [key, collected] of Object.entries(groups)) {
      const member = pairs[collected.pair]?.[1](run, collected.items, frame);
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
    collected.items = isArray(collected.items) ? Array.from(collected.items) : [collected.items];
    collected.isOwn = true;
  }
  const items = collected.items as unknown[];
  if (isArray(item)) {
    run.spend(item.length);
    for (const each of item) items.push(each);
  } else items.push(item);
  if (items.length > run.maxSequence) throw new EvaluationError('D2015', { value: items.length });
}
