import type { Exchange } from '../contract/index.ts';
import type { NewRun } from '../engine/types/index.ts';
import { foundBy } from './filter-error.ts';
import { limitedRequest, limitValue } from './limits/limit-value.ts';
import type { FoundRun } from './new-run.ts';
import type { LiveTrigger } from './snapshot.ts';
import { concurrencyStage } from './verdict.ts';

/** The run with the value by which the concurrency of its trigger is limited, if it is. */
export function withConcurrencyValue(run: NewRun, trigger: LiveTrigger, exchange: Exchange): FoundRun {
  const { concurrencyPer } = trigger;
  if (concurrencyPer === undefined) return { ok: true, run };
  const found = foundBy(concurrencyStage, () => limitValue(concurrencyPer, limitedRequest(trigger, exchange, run)));
  return found.ok ? { ok: true, run: { ...run, concurrencyValue: found.value } } : found;
}
