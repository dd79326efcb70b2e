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
    return mergeSort(run, items as readonly string[], (left, right) => left > right);
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
    const seen = new Set<unknown>();
    const buckets = new Map<string, unknown[]>();
    for (const value of values) {
      if (typeof value !== 'object' || value === null) {
        // A Set takes NaN for equal to itself, which `=` does not.
        if (seen.has(value) && !Number.isNaN(value)) continue;
        seen.add(value);
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

/** A text that equal objects share, and others seldom: so that not each pair of values has to be compared. */
function shapeOf(run: Evaluation, value: object): string {
  const text = JSON.stringify(value, (_name, member: unknown) => {
    if (member instanceof FunctionValue || typeof member !== 'object' || member === null) return member;
    if (Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
  run.spendText(text.length * 8);
  // An array is never equal to a text of its own, but to an object with the same members it may be; so all meet.
  return text;
}
