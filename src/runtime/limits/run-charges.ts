import type { Exchange } from '../../contract/index.ts';
import type { NewRun } from '../../engine/types/index.ts';
import { type FoundBy, foundBy } from '../filter-error.ts';
import type { LiveTrigger } from '../snapshot.ts';
import { limitStage } from '../verdict.ts';
import { type Charges, chargesOf } from './charges.ts';
import type { Expectations } from './expectations.ts';
import { limitedRequest } from './limit-value.ts';
import type { LiveLimit } from './live-limit.ts';

type FoundCharges = Extract<Charges, { readonly ok: true }>;

/** What a run takes of these limits. */
export function runCharges(
  limits: readonly LiveLimit[],
  trigger: LiveTrigger,
  exchange: Exchange,
  run: NewRun,
  expectations: Pick<Expectations, 'of'> | undefined,
): FoundBy<FoundCharges> {
  if (limits.length === 0) return uncharged;
  const request = limitedRequest(trigger, exchange, run);
  return foundBy(limitStage, () => chargesOf(limits, request, exchange.receivedAt, expectations?.of(trigger.id)));
}

const uncharged: FoundCharges = Object.freeze({ ok: true, charges: [] });
