import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { append, createSequence, FunctionValue, isArray, isDeepEqual, isNumeric, type MarkedArray } from '../value.ts';
import { call } from './call.ts';
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
    for (let index = 0; index < length; index += 1) zipped.push(lists.map((list) => list?.[index]));
    return zipped;
  },
  sort(run: Evaluation, items: Items, comparator: unknown) {
    if (items === undefined || items.length <= 1) return items;
    if (comparator !== undefined) {
      return mergeSort(run, items, (left, right) => Boolean(call(run, comparator, [left, right], null)));
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
    run.spend(values.length * 4);
    const results: MarkedArray = values.sequence === true ? createSequence() : [];
    const seen = new Set<string>();
    const buckets = new Map<string, unknown[]>();
    for (const value of values) {
      if (typeof value !== 'object' || value === null) {
        // V8 seeds the hash of strings, unlike that of numbers, so that a request body cannot force collisions.
        const name = `${typeof value} ${String(value)}`;
        if (typeof value === 'string') run.spendText(value.length);
        // NaN is not equal to itself.
        if (seen.has(name) && !Number.isNaN(value)) continue;
        seen.add(name);
      } else {
        const bucketName = shapeOf(run, value);
        const bucket = buckets.get(bucketName);
        if (bucket?.some((other) => isDeepEqual(run, value, other))) continue;
        if (bucket === undefined) buckets.set(bucketName, [value]);
        else bucket.push(value);
      }
      results.push(value);
    }
    return results;
  },
};

/** A string that equal objects share and others rarely do, so that not every pair has to be compared. */
function shapeOf(run: Evaluation, value: object): string {
  return JSON.stringify(value, (name, member: unknown) => {
    run.spend(6 + name.length / 4);
    if (typeof member === 'string') run.spendText(member.length * 8);
    if (member instanceof FunctionValue || typeof member !== 'object' || member === null) return member;
    // An object with the members and the length of an array equals that array.
    if (Array.isArray(member)) return { ...Array.from(member), length: member.length };
    return Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}
