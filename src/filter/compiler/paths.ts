import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { mergeSort } from '../library/merge-sort.ts';
import { lookup } from '../library/objects.ts';
import { isPlain, type Node, NotCompilable, required } from '../node.ts';
import {
  createSequence,
  FunctionValue,
  functionMembers,
  isArray,
  isNumeric,
  isObject,
  isTruthy,
  type MarkedArray,
  namesOf,
  sequenceOf,
  unwrap,
} from '../value.ts';
import { compile } from './compile.ts';
import { groupBy } from './constructors.ts';
import type { Evaluator, Frame } from './evaluator.ts';
import type { Scope } from './scope.ts';
import { weightOf } from './weight.ts';

type Select = (run: Evaluation, value: unknown, frame: Frame | undefined) => unknown;
/** Applies one step to the items that the path has selected up to there. */
type Step = (run: Evaluation, items: MarkedArray, frame: Frame | undefined) => MarkedArray;

export function compilePath(node: Node, scope: Scope): Evaluator {
  const nodes = required(node.steps);
  const first = required(nodes[0]);
  const compiled = nodes.map((step, index) => compileStep(step, scope, index === nodes.length - 1));
  const steps = compiled.map(({ take }) => take);
  const constructs = first.consarray === true ? compiled[0]?.evaluate : undefined;
  const takesArray = first.type !== 'variable';
  const group = node.group === undefined ? undefined : groupBy(node.group, scope);
  const { keepSingletonArray } = node;

  const walk = (run: Evaluation, from: MarkedArray, start: number, frame: Frame | undefined): MarkedArray => {
    let items = from;
    for (let index = start; index < steps.length; index += 1) {
      items = (steps[index] as Step)(run, items, frame);
      if (items.length === 0) break;
    }
    return items;
  };
  const evaluate: Evaluator = (run, input, frame) => {
    const items = takesArray && isArray(input) ? input : sequenceOf(input);
    if (constructs === undefined) return walk(run, items, 0, frame);
    const constructed = constructs(run, items, frame);
    if (steps.length === 1 || constructed === undefined) return constructed;
    const from = itemsOf(run, constructed);
    return constructed === '' || (isArray(constructed) && from.length === 0) ? constructed : walk(run, from, 1, frame);
  };

  const names =
    constructs === undefined
      ? leadingNames(nodes, scope, keepSingletonArray === true, compiled.at(-1)?.stages)
      : undefined;
  const follow = names === undefined ? evaluate : compileNames(names, nodes.length, walk, evaluate);
  if (group === undefined && keepSingletonArray !== true) return follow;
  return (run, input, frame) => {
    let result = follow(run, input, frame);
    if (keepSingletonArray === true && isArray(result)) {
      if (result.cons === true && result.sequence !== true) result = sequenceOf(result);
      if (isArray(result) && result.sequence === true) result.keepSingleton = true;
    }
    return group === undefined ? result : group(run, result, frame);
  };
}

/** A predicate on an array constructor may yield a non-array. The reference then iterates over a string's characters. */
function itemsOf(run: Evaluation, value: unknown): MarkedArray {
  if (isArray(value)) return value;
  if (typeof value !== 'string') return [];
  run.spend(value.length);
  return value.split('');
}

/** The names that a path begins with, with or without a leading variable. */
interface LeadingNames {
  /** The variable that the path starts from; undefined: the input. */
  readonly start: Evaluator | undefined;
  readonly names: readonly string[];
  /** The predicates of the last name, if it ends the path. */
  readonly selects: readonly Select[];
}

function leadingNames(
  nodes: readonly Node[],
  scope: Scope,
  keepsSingleton: boolean,
  lastStages: readonly Select[] = [],
): LeadingNames | undefined {
  const [first, ...rest] = nodes;
  if (first === undefined) return undefined;
  const start = first.type === 'variable' && isPlain(first) ? compile(first, scope) : undefined;
  const candidates = start === undefined ? nodes : rest;
  const end = candidates.findIndex((step) => step.type !== 'name' || !isPlain(step));
  const plain = end < 0 ? candidates : candidates.slice(0, end);
  const last = candidates[plain.length];
  const isLast = plain.length === candidates.length - 1;
  const selects = last?.type === 'name' && isLast && !keepsSingleton && hasOnlyStages(last) ? lastStages : undefined;
  const named = selects === undefined ? plain : candidates;
  // The steps handle `[]`, which keeps a single value in an array.
  if (named.length === 0 || (keepsSingleton && named.length === candidates.length)) return undefined;
  return { start, names: named.map((step) => String(step.value)), selects: selects ?? [] };
}

function hasOnlyStages({ stages, ...step }: Node): boolean {
  return stages !== undefined && isPlain(step);
}

/** Follows names through objects without building sequences until it meets an array, then runs the remaining steps. */
function compileNames(
  { start, names, selects }: LeadingNames,
  steps: number,
  walk: (run: Evaluation, items: MarkedArray, start: number, frame: Frame | undefined) => unknown,
  evaluate: Evaluator,
): Evaluator {
  const offset = start === undefined ? 0 : 1;
  const read = names.map(memberReader);
  const { length } = names;
  const hasSteps = offset + length < steps;
  const walkFrom = (run: Evaluation, value: MarkedArray, step: number, frame: Frame | undefined): unknown => {
    if (value.cons === true) return walk(run, sequenceOf(value), step, frame);
    return value.length === 0 ? undefined : walk(run, value, step, frame);
  };

  const follow: Evaluator = (run, value, frame) => {
    let current = value;
    for (let index = 0; index < length; index += 1) {
      if (typeof current !== 'object' || current === null) {
        // The predicates of a step also run on an undefined value, but not if the step itself was never taken.
        if (selects.length === 0 || index < length - 1 || (index + offset > 0 && current === undefined)) {
          return undefined;
        }
        current = undefined;
        break;
      }
      if (index > 0 && Array.isArray(current)) return walkFrom(run, current, index + offset, frame);
      current = (read[index] as MemberReader)(current);
    }
    if (hasSteps) {
      if (current === undefined) return undefined;
      return isArray(current)
        ? walkFrom(run, current, length + offset, frame)
        : walk(run, sequenceOf(current), length + offset, frame);
    }
    for (const select of selects) current = select(run, current, frame);
    return current;
  };
  if (start !== undefined) {
    return (run, input, frame) => {
      const value = start(run, input, frame);
      return isArray(value) ? walkFrom(run, value, 1, frame) : follow(run, value, frame);
    };
  }
  const [first, second] = read;
  if (hasSteps || selects.length > 0 || first === undefined || length > 2) {
    return (run, input, frame) => (Array.isArray(input) ? evaluate(run, input, frame) : follow(run, input, frame));
  }
  if (second === undefined) {
    return (run, input, frame) => {
      if (typeof input !== 'object' || input === null) return undefined;
      return Array.isArray(input) ? evaluate(run, input, frame) : first(input);
    };
  }
  return (run, input, frame) => {
    if (typeof input !== 'object' || input === null) return undefined;
    if (Array.isArray(input)) return evaluate(run, input, frame);
    const value = first(input);
    if (typeof value !== 'object' || value === null) return undefined;
    return Array.isArray(value) ? walkFrom(run, value, 1, frame) : second(value);
  };
}

type MemberReader = (value: object) => unknown;

/** Reads an own member. Only the few names on Object.prototype need the own-property check. */
function memberReader(name: string): MemberReader {
  if (name in Object.prototype || functionMembers.has(name)) {
    return (value) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined);
  }
  return (value) => (value as Record<string, unknown>)[name];
}

/** A compiled step. Compiled exactly once: steps nest, so compiling twice would double the work at each level. */
interface CompiledStep {
  readonly take: Step;
  readonly stages: readonly Select[];
  /** Evaluates the step for one item, without its stages. Undefined for a sort. */
  readonly evaluate?: Evaluator;
}

function compileStep(node: Node, scope: Scope, isLast: boolean): CompiledStep {
  if (node.tuple === true) throw new NotCompilable('it joins values (@, # or %)');
  const stages = (node.stages ?? []).map(({ type, expr }) => {
    if (type !== 'filter') throw new NotCompilable('it joins values (@, # or %)');
    return filterBy(expr, scope);
  });
  if (node.type === 'sort') return { take: compileSort(node, scope, stages), stages };
  const evaluate = node.type === 'name' ? nameStep(node, scope) : compile(node, scope);
  const costOfItem = 2 + weightOf(node);
  const take: Step = (run, items, frame) => {
    run.spend(items.length * costOfItem);
    const flat = createSequence();
    let count = 0;
    let latest: unknown;
    for (let index = 0; index < items.length; index += 1) {
      let result = evaluate(run, items[index], frame);
      for (const select of stages) result = select(run, result, frame);
      if (result === undefined) continue;
      count += 1;
      latest = result;
      const flattened = isArray(result) && result.cons !== true ? result : undefined;
      if (flattened === undefined) {
        flat.push(result);
        run.checkSequence(flat.length);
      } else {
        run.spendSequence(flattened.length, flat.length);
        for (const each of flattened) flat.push(each);
      }
    }
    return isLast && count === 1 && isArray(latest) && latest.sequence !== true ? latest : flat;
  };
  return { take, stages, evaluate };
}

function nameStep(node: Node, scope: Scope): Evaluator {
  const name = String(node.value);
  const read = memberReader(name);
  const evaluate: Evaluator = (run, input) => {
    if (typeof input !== 'object' || input === null) return undefined;
    const found = Array.isArray(input) ? lookup(run, input, name) : read(input);
    if (node.keepArray === true && isArray(found) && found.sequence === true) found.keepSingleton = true;
    return unwrap(found);
  };
  if (node.predicate !== undefined || node.group !== undefined) return withRest(node, evaluate, scope);
  return evaluate;
}

/** Adds the predicates and grouping that a first step may carry on its own node. */
function withRest(node: Node, evaluate: Evaluator, scope: Scope): Evaluator {
  const selects = (node.predicate ?? []).map(({ expr }) => filterBy(expr, scope));
  const group = node.group === undefined ? undefined : groupBy(node.group, scope);
  return (run, input, frame) => {
    let result = evaluate(run, input, frame);
    for (const select of selects) result = select(run, result, frame);
    return unwrap(group === undefined ? result : group(run, result, frame));
  };
}

/** A predicate: an index, or a condition for each item. */
export function filterBy(predicate: Node, scope: Scope): Select {
  if (predicate.type === 'number') return selectIndex(Math.floor(Number(predicate.value)));
  const evaluate = compile(predicate, scope);
  const costOfItem = 1 + weightOf(predicate);
  return (run, value, frame) => {
    const items = isArray(value) ? value : sequenceOf(value);
    run.spend(items.length * costOfItem);
    const selected = createSequence();
    for (let index = 0; index < items.length; index += 1) {
      const item = items[index];
      const result = evaluate(run, item, frame);
      if (result === true) selected.push(item);
      if (typeof result === 'boolean' || result === undefined) continue;
      if (isArray(result)) run.spend(result.length * 2);
      const indexes = isNumeric(result) ? [result] : result;
      if (isArray(indexes) && indexes.every(isNumeric)) {
        for (const wanted of indexes as number[]) {
          const floor = Math.floor(wanted);
          if ((floor < 0 ? items.length + floor : floor) === index) selected.push(item);
        }
      } else if (isTruthy(run, result)) selected.push(item);
    }
    return selected;
  };
}

function selectIndex(index: number): Select {
  return (_run, value) => {
    const items = isArray(value) ? value : [value];
    const item = items[index < 0 ? items.length + index : index];
    if (item === undefined) return createSequence();
    return isArray(item) ? item : sequenceOf(item);
  };
}

function compileSort(node: Node, scope: Scope, stages: readonly Select[]): Step {
  const terms = required(node.terms).map(({ descending, expression }) => ({
    sign: descending ? -1 : 1,
    evaluate: compile(expression, scope),
  }));
  const { position } = node;
  const costOfComparison = 1 + 2 * weightOf(...required(node.terms).map(({ expression }) => expression));
  return (run, items, frame) => {
    const isGreater = (left: unknown, right: unknown): boolean => {
      run.spend(costOfComparison);
      for (const { sign, evaluate } of terms) {
        const order = compareKeys(run, evaluate(run, left, frame), evaluate(run, right, frame), { sign, position });
        if (order !== 0) return order === 1;
      }
      return false;
    };
    let result: unknown = items;
    if (items.length > 1) result = mergeSort(run, items, isGreater);
    else if (items.length === 1 && items.sequence !== true) result = sequenceOf(items[0]);
    for (const select of stages) result = select(run, result, frame);
    return result as MarkedArray;
  };
}

/** Items without a key sort last, in ascending and descending order alike. */
function compareKeys(
  run: Evaluation,
  left: unknown,
  right: unknown,
  { sign, position }: { readonly sign: number; readonly position: number | undefined },
): number {
  if (left === undefined) return right === undefined ? 0 : 1;
  if (right === undefined) return -1;
  const isLeftKey = typeof left === 'string' || typeof left === 'number';
  if (!isLeftKey || !(typeof right === 'string' || typeof right === 'number')) {
    throw new EvaluationError('T2008', { value: isLeftKey ? right : left }, position);
  }
  if (typeof left !== typeof right) throw new EvaluationError('T2007', { value: left, value2: right }, position);
  if (typeof left === 'string' && left.length > 256) run.spendText(left.length * 2);
  if (left === right) return 0;
  return left < right ? -sign : sign;
}

export function compileWildcard(): Evaluator {
  return (run, input) => {
    const value = isArray(input) && input.outerWrapper === true && input.length > 0 ? input[0] : input;
    const results = createSequence();
    if (typeof value !== 'object' || value === null || value instanceof FunctionValue) return results;
    let hasArray = false;
    for (const member of membersOf(run, value)) {
      if (isArray(member)) {
        hasArray = true;
        flattenInto(run, results, member);
      } else results.push(member);
    }
    run.spendSequence(results.length);
    // Appending an array turns a sequence into a plain array.
    return hasArray ? Array.from(results) : results;
  };
}

function membersOf(run: Evaluation, value: object): readonly unknown[] {
  if (!Array.isArray(value)) return namesOf(run, value).map((name) => Reflect.get(value, name));
  run.spend(value.length);
  return value;
}

function flattenInto(run: Evaluation, results: unknown[], items: readonly unknown[]): void {
  run.spend(items.length * 2);
  for (const item of items) {
    if (Array.isArray(item)) flattenInto(run, results, item);
    else {
      results.push(item);
      run.checkSequence(results.length);
    }
  }
}

export function compileDescendants(): Evaluator {
  return (run, input) => {
    if (input === undefined) return undefined;
    const results = createSequence();
    descend(run, input, results);
    return results.length === 1 ? results[0] : results;
  };
}

function descend(run: Evaluation, value: unknown, results: MarkedArray): void {
  run.spend(2);
  if (isArray(value)) {
    for (const item of value) descend(run, item, results);
    return;
  }
  results.push(value);
  run.checkSequence(results.length);
  if (isObject(value)) for (const member of membersOf(run, value)) descend(run, member, results);
}
