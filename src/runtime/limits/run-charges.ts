import type { Exchange } from '../../contract/index.ts';
import type { LimitCharge, NewRun } from '../../engine/types/index.ts';
import { exhausted } from '../filter-error.ts';
import type { LiveTrigger } from '../snapshot.ts';
import { type FilterError, limitStage } from '../verdict.ts';
import { chargesOf } from './charges.ts';
import type { Expectations } from './expectations.ts';
import type { LiveLimit } from './live-limit.ts';

export type RunCharges =
  | { readonly ok: true; readonly charges: readonly LimitCharge[] }
  | { readonly ok: false; readonly error: FilterError };

/** What a run takes of these limits. */
export function runCharges(
  limits: readonly LiveLimit[],
  trigger: LiveTrigger,
  exchange: Exchange,
  { conversation }: NewRun,
  expectations: Pick<Expectations, 'of'> | undefined,
): RunCharges {
  if (limits.length === 0) return uncharged;
  const { caller, ip, receivedAt } = exchange;
  try {
    const request = { trigger, caller, ip, conversation, subject: () => exchange };
    const charges = chargesOf(limits, request, receivedAt, expectations?.of(trigger.id));
    if (charges.ok) return charges;
    return { ok: false, error: { kind: 'filter_error', by: limitStage, reason: charges.message } };
  } catch (error) {
    return { ok: false, error: exhausted(limitStage, error) };
  }
}

const uncharged: RunCharges = Object.freeze({ ok: true, charges: [] });
