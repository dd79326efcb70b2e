import { type Principal, type RequestHead, WorkBudget } from '../../contract/index.ts';
import { type Charging, chargeAll } from '../../engine/limits/ledger.ts';
import type { MemoryCounters } from '../../engine/limits/memory-counters.ts';
import type { LimitCharge } from '../../engine/types/index.ts';
import { foundBy } from '../filter-error.ts';
import type { LiveTrigger } from '../snapshot.ts';
import { type FilterError, limitStage } from '../verdict.ts';
import { chargesOf } from './charges.ts';
import { type CountedLimit, countedLimit } from './counted-limit.ts';
import { limitsFor } from './trigger-limits.ts';

/** What limits of requests decide at the head of a request. */
export type RequestCharge =
  /** `shadowed`: limits that would have refused it. */
  | { readonly kind: 'room'; readonly shadowed: readonly CountedLimit[] }
  | { readonly kind: 'limited'; readonly counted: CountedLimit; readonly retryAt: number }
  /** The value of `per` cannot be found. */
  | FilterError;

/** How many counters of ended windows a request removes: more than most add. */
export const sweptAtRequest = 4;

const room: RequestCharge = Object.freeze({ kind: 'room', shadowed: [] });

/** Called with what a request takes of its limits, and with what was decided. */
export type ChargeObserver = (charges: readonly LimitCharge[], charged: Charging) => void;

/** Counts a request of an authenticated caller, before its body is read, or says why it is refused. */
export function chargeRequest(
  counters: MemoryCounters,
  trigger: LiveTrigger,
  caller: Principal,
  head: RequestHead,
  observe?: ChargeObserver,
): RequestCharge {
  const limits = limitsFor(trigger.limits, caller.id, 'requests');
  if (limits.length === 0) return room;
  const subject = () => ({ ...head, caller, input: {}, work: new WorkBudget(trigger.workLimit) });
  const request = { trigger, caller, ip: head.ip, conversation: undefined, subject };
  const charges = foundBy(limitStage, () => chargesOf(limits, request, head.receivedAt));
  if (!charges.ok) return charges.error;
  const charged = chargeAll(counters, charges.charges, head.receivedAt);
  observe?.(charges.charges, charged);
  const countedOf = (id: string) => countedLimit(limits, charges.charges, id);
  if (charged.kind === 'limited') {
    return { kind: 'limited', counted: countedOf(charged.limit), retryAt: charged.retryAt };
  }
  return charged.shadowed.length === 0 ? room : { kind: 'room', shadowed: charged.shadowed.map(countedOf) };
}
