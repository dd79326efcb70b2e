import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import {
  append,
  createSequence,
  FunctionValue,
  isArray,
  isDeepEqual,
  isNumeric,
  type MarkedArray,
  namesOf,
} from '../value.ts';
import { call, costOfCall } from './call.ts';
import { mergeSort } from './merge-sort.ts';

type Items = readonly unknown[] | undefined;

export const arrays = {
  count: (_run: Evaluation, items: Items) => items?.length ?? 0,
  append,
  exists: (_run: Evaluation, value: unknown) => value !== undefined,
  reverse(run: Evaluation, items: Items) {
    if (items === undefined || items.length <= 1) return items;
    run.spendSequence(items.length);
    return items.toReversed();
  },
  zip(run: Evaluation, ...lists: readonly Items[]) {
    const length = lists.reduce((least, list) => Math.min(least, list?.length ?? 0), Infinity);
    const zipped: unknown[] = [];
    if (!Number.isFinite(length)) return zipped;
    run.spendSequence(length * lists.length);
    run.spend(length * 2);
    for (let index = 0; index < length; index += 1) zipped.push(lists.map((list) => list?.[index]));
    return zipped;
  },
  sort(run: Evaluation, items: Items, comparator: unknown) {
    if (items === undefined || items.length <= 1) return items;
    run.spend(items.length);
    if (comparator !== undefined) {
      return mergeSort(run, items, (left, right) => {
        run.spend(costOfCall);
        return Boolean(call(run, comparator, [left, right], null));
      });
    }
    if (!items.every(isNumeric) && !items.every((item) => typeof item === 'string')) {
      throw new EvaluationError('D3070', { index: 1 });
    }
    return mergeSort(run, items as readonly string[], (left, right) => {
      if (left.length > 256) run.spendText(left.length);
      return left > right;
    });
  },
  shuffle(run: Evaluation, items: Items) {
    if (items === undefined || items.length <= 1) return items;
    run.spendSequence(items.length);
    const shuffled = new Array<unknown>(items.length);
    items.forEach((item, index) => {
      const other = Math.floor(run.random() * (index + 1));
      if (index !== other) shuffled[index] = shuffled[other];
      shuffled[other] = item;
    });
    return shuffled;
  },
  distinct(run: Evaluation, values: unknown) {
    if (!isArray(values) || values.length <= 1) return values;
    run.spendSequence(values.length);
    const results: MarkedArray = values.sequence === true ? createSequence() : [];
    const seen = new Set<string>();
    const buckets = new Map<string, unknown[]>();
    for (const value of values) {
      if (typeof value !== 'object' || value === null) {
        // V8 seeds the hash of strings, unlike that of numbers, so that a request body cannot force collisions.
        run.spend(typeof value === 'string' ? 10 + value.length / 8 : 10);
        const name = `${typeof value} ${String(value)}`;
        // NaN is not equal to itself.
        if (seen.has(name) && !Number.isNaN(value)) continue;
        seen.add(name);
      } else {
        const bucketName = shapeOf(run, value);
        const bucket = buckets.get(bucketName);
        // Functions have one shape: comparing them is not free only because it fails at once.
        run.spend(bucket?.length ?? 0);
        if (bucket?.some((other) => isDeepEqual(run, value, other))) continue;
        if (bucket === undefined) buckets.set(bucketName, [value]);
        else bucket.push(value);
      }
      results.push(value);
    }
    return results;
  },
};

/** What a name costs when that many are sorted, which compares each with some of the others. */
function costOfSorting(count: number): number {
  return 2 + Math.log2(count + 1);
}

/** A string that equal objects share and others rarely do, so that not every pair has to be compared. */
function shapeOf(run: Evaluation, value: object): string {
  return JSON.stringify(value, (name, member: unknown) => {
    run.spend(7 + name.length / 8);
    if (typeof member === 'string') run.spendText(member.length * 8);
    if (member instanceof FunctionValue || typeof member !== 'object' || member === null) return member;
    // An object with the members and the length of an array equals that array.
    if (Array.isArray(member)) {
      run.spend(member.length * 2);
      return { ...Array.from(member), length: member.length };
    }
    const names = namesOf(run, member);
    run.spend(names.length * costOfSorting(names.length));
    return Object.fromEntries(names.toSorted().map((each) => [each, Reflect.get(member, each)]));
  });
}
