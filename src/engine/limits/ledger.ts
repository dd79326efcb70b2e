import type { RunUsage } from '../../contract/index.ts';
import {
  type Consumption,
  type LimitCharge,
  type LimitReservation,
  type LimitState,
  type LimitUnit,
  otherValues,
  type RunRecord,
} from '../types/index.ts';
import { charge, expiryOf } from './rule.ts';

/** Where counters are kept. Each call is part of the caller's step. */
export interface Counters {
  get(limit: string, value: string): LimitState | undefined;
  /** @param expiresAt from when on the counter may be forgotten: what is reserved in an ended window is settled without it */
  set(limit: string, value: string, state: LimitState, expiresAt: number): void;
  /** How many values of a limit have a counter. */
  count(limit: string): number;
}

export type Charging =
  | {
      readonly kind: 'charged';
      /** What the run has to settle at its end. */
      readonly reservations: readonly LimitReservation[];
      /** Limits that would have refused it, if they refused anything. */
      readonly shadowed: readonly string[];
    }
  /** There is no room in `limit` before `retryAt`; nothing was charged. */
  | { readonly kind: 'limited'; readonly limit: string; readonly retryAt: number };

const nothing: Charging = { kind: 'charged', reservations: [], shadowed: [] };

/** Charges all limits, or none. If several have no room, the one that is full for longest is named. */
export function chargeAll(counters: Counters, charges: readonly LimitCharge[], now: number): Charging {
  if (charges.length === 0) return nothing;
  const shadowed: string[] = [];
  const counted: {
    readonly of: LimitCharge;
    readonly value: string;
    readonly state: LimitState;
    readonly taken: number;
  }[] = [];
  let full: { readonly limit: string; readonly retryAt: number } | undefined;
  for (const one of charges) {
    const { limit, unit, rule, amount, isShadow } = one;
    const { value, state } = counterOf(counters, one);
    const charged = charge(state, rule, { amount, isReserved: isReserved(unit) }, now);
    if (charged.kind === 'room') counted.push({ of: one, value, state: charged.state, taken: charged.taken });
    else if (isShadow) shadowed.push(limit);
    else if (full === undefined || charged.retryAt > full.retryAt) full = { limit, retryAt: charged.retryAt };
  }
  if (full !== undefined) return { kind: 'limited', ...full };
  const reservations: LimitReservation[] = [];
  for (const { of, value, state, taken } of counted) {
    const { limit, unit, rule, unreported } = of;
    counters.set(limit, value, state, expiryOf(state, rule));
    if (!isReserved(unit)) continue;
    reservations.push({ limit, value, unit, rule, amount: taken, unreported, at: state.at });
  }
  return { kind: 'charged', reservations, shadowed };
}

function counterOf(counters: Counters, { limit, value, maxValues }: LimitCharge) {
  const state = counters.get(limit, value);
  if (state !== undefined || counters.count(limit) < maxValues) return { value, state };
  return { value: otherValues, state: counters.get(limit, otherValues) };
}

/** Whether a charge is reserved, and settled by what its run has consumed. */
export function isReserved(unit: LimitUnit): unit is 'tokens' | 'cost' {
  return unit === 'tokens' || unit === 'cost';
}

/**
 * Settles what an ended run has reserved: from then on its consumption counts. What it consumed beyond its reservation counts
 * in the window that is open now if its own has ended, so that a long run cannot escape a short window.
 */
export function settleAll(
  counters: Counters,
  reservations: readonly LimitReservation[],
  consumed: Consumption,
  now: number,
): void {
  for (const { limit, value, unit, rule, amount, unreported, at } of reservations) {
    const reported = unit === 'cost' ? consumed.cost : consumed.tokens;
    const actual = consumed.isPartial ? Math.max(reported ?? 0, amount, unreported) : (reported ?? unreported);
    const state = counters.get(limit, value);
    const isOpen = state !== undefined && now < expiryOf(state, rule);
    const settled =
      isOpen && state.at === at
        ? settle(state, amount, actual)
        : addExcess(isOpen ? state : undefined, { rule, at }, actual - amount, now);
    if (settled !== undefined) counters.set(limit, value, settled, expiryOf(settled, rule));
  }
}

function settle({ at, used, open }: LimitState, reserved: number, actual: number): LimitState {
  return { at, used: used + actual, open: open - reserved };
}

function addExcess(
  state: LimitState | undefined,
  { rule, at }: Pick<LimitReservation, 'rule' | 'at'>,
  excess: number,
  now: number,
): LimitState | undefined {
  if (excess <= 0 || rule.kind === 'rate') return undefined;
  if (state !== undefined) return { ...state, used: state.used + excess };
  const openedAt = rule.kind === 'window' ? now : openWindow(at === rule.startsAt ? rule.endsAt : at, rule, now);
  return { at: openedAt, used: excess, open: 0 };
}

/** When a window of the calendar began: of one that is not the next after a known one, any time in it will do. */
function openWindow(next: number, { startsAt, endsAt }: CalendarRule, now: number): number {
  return now < next + (endsAt - startsAt) ? next : now;
}

type CalendarRule = Extract<LimitReservation['rule'], { kind: 'calendar' }>;

/** What a run counts of limits at its end: nothing if it was never started. */
export function consumptionOf({
  state,
  attempt,
  usage,
  cost,
}: Pick<RunRecord, 'state' | 'attempt' | 'usage' | 'cost'>): Consumption {
  if (attempt === 0) return { tokens: 0, cost: 0 };
  return { tokens: usage && tokensOf(usage), cost: cost?.nanos, isPartial: state === 'cancelled' };
}

/** All tokens of a run: what limits count. */
export function tokensOf({ inputTokens, outputTokens }: RunUsage): number {
  return inputTokens + outputTokens;
}
