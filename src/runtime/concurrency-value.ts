import type { Exchange } from '../contract/index.ts';
import type { NewRun } from '../engine/types/index.ts';
import { exhausted } from './filter-error.ts';
import { limitValue } from './limits/limit-value.ts';
import type { FoundRun } from './new-run.ts';
import type { LiveTrigger } from './snapshot.ts';
import { concurrencyStage } from './verdict.ts';

/** The run with the value by which the concurrency of its trigger is limited, if it is. */
export function withConcurrencyValue(run: NewRun, trigger: LiveTrigger, exchange: Exchange): FoundRun {
  const { concurrencyPer } = trigger;
  if (concurrencyPer === undefined) return { ok: true, run };
  const { caller, ip } = exchange;
  const { conversation } = run;
  try {
    const found = limitValue(concurrencyPer, { trigger, caller, ip, conversation, subject: () => exchange });
    if (found.ok) return { ok: true, run: { ...run, concurrencyValue: found.value } };
    return { ok: false, error: { kind: 'filter_error', by: concurrencyStage, reason: found.message } };
  } catch (error) {
    return { ok: false, error: exhausted(concurrencyStage, error) };
  }
}
