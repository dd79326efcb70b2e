import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { createSequence, FunctionValue, isTruthy, namesOf } from '../value.ts';
import { call, callBack, costOfCall } from './call.ts';

type Items = readonly unknown[] | undefined;
type Members = Readonly<Record<string, unknown>> | undefined;

export const higherOrder = {
  map(run: Evaluation, items: Items, callback: unknown) {
    if (items === undefined) return undefined;
    const results = createSequence();
    for (let index = 0; index < items.length; index += 1) {
      const result = callBack(run, callback, items[index], index, items);
      if (result !== undefined) results.push(result);
    }
    return results;
  },
  filter(run: Evaluation, items: Items, callback: unknown) {
    if (items === undefined) return undefined;
    const results = createSequence();
    for (let index = 0; index < items.length; index += 1) {
      if (isTruthy(run, callBack(run, callback, items[index], index, items))) results.push(items[index]);
    }
    return results;
  },
  single(run: Evaluation, items: Items, callback: unknown) {
    if (items === undefined) return undefined;
    let found: { readonly item: unknown } | undefined;
    items.forEach((item, index) => {
      if (callback !== undefined && !isTruthy(run, callBack(run, callback, item, index, items))) return;
      if (found !== undefined) throw new EvaluationError('D3138', { index });
      found = { item };
    });
    if (found === undefined) throw new EvaluationError('D3139');
    return found.item;
  },
  reduce(run: Evaluation, items: Items, callback: FunctionValue, initial: unknown) {
    if (items === undefined) return undefined;
    if (callback.arity < 2) throw new EvaluationError('D3050', { index: 1 });
    const takesFirst = initial === undefined && items.length > 0;
    let result = takesFirst ? items[0] : initial;
    for (let index = takesFirst ? 1 : 0; index < items.length; index += 1) {
      run.spend(costOfCall);
      result = call(run, callback, [result, items[index], index, items].slice(0, Math.min(callback.arity, 4)), null);
    }
    return result;
  },
  each(run: Evaluation, members: Members, callback: unknown) {
    const results = createSequence();
    for (const name of memberNames(run, members)) {
      const member = members?.[name];
      const result = callBack(run, callback, member, name, members);
      if (result !== undefined) results.push(result);
    }
    return results;
  },
  sift(run: Evaluation, members: Members, callback: unknown) {
    const sifted: Record<string, unknown> = Object.create(null);
    let any = false;
    for (const name of memberNames(run, members)) {
      const member = members?.[name];
      if (!isTruthy(run, callBack(run, callback, member, name, members))) continue;
      sifted[name] = member;
      any = true;
    }
    return any ? sifted : undefined;
  },
};

/** A function has no members, although the signature accepts one as the context. */
function memberNames(run: Evaluation, members: unknown): readonly string[] {
  if (typeof members !== 'object' || members === null || members instanceof FunctionValue) return [];
  return namesOf(run, members);
}
