import type { Exchange, FilterResult, MaybePromise } from '../contract/index.ts';
import { exhausted } from './filter-error.ts';
import type { LiveTrigger } from './snapshot.ts';
import type { StoppedVerdict } from './verdict.ts';
import { isThenable } from './when-ready.ts';

/** What the filter stage decided. */
export type FilterVerdict = { readonly kind: 'passed' } | StoppedVerdict;

const passed: FilterVerdict = Object.freeze({ kind: 'passed' });

/** All filters must pass; the first that does not names the drop. */
export function runFilters(trigger: LiveTrigger, exchange: Exchange, first = 0): MaybePromise<FilterVerdict> {
  for (let index = first; index < trigger.filter.length; index += 1) {
    const { name, instance } = trigger.filter[index] as LiveTrigger['filter'][number];
    let result: MaybePromise<FilterResult>;
    try {
      result = instance.evaluate(exchange);
    } catch (error) {
      return exhausted(name, error);
    }
    if (isThenable(result)) {
      return Promise.resolve(result).then(
        (settled) => refusedBy(name, settled) ?? runFilters(trigger, exchange, index + 1),
        (error: unknown) => exhausted(name, error),
      );
    }
    const refused = refusedBy(name, result);
    if (refused !== undefined) return refused;
  }
  return passed;
}

function refusedBy(by: string, result: FilterResult): FilterVerdict | undefined {
  if (result.kind === 'passed') return undefined;
  return { kind: result.kind === 'dropped' ? 'dropped' : 'filter_error', by, reason: result.reason };
}
