import type { LimitRule, LimitState } from '../types/index.ts';

/** What a charge results in: the counter after it, or when there will be room for it. */
export type Charged =
  | {
      readonly kind: 'room';
      readonly state: LimitState /** How much of the amount was charged. */;
      readonly taken: number;
    }
  | { readonly kind: 'full'; readonly retryAt: number };

/** The part of a charge that decides. */
export interface Amount {
  readonly amount: number;
  /** Whether the amount is only reserved: what was not counted when its run was accepted is settled at its end. */
  readonly isReserved: boolean;
}

/**
 * Charges a counter at a time in milliseconds since the epoch. An amount of 0 needs room for something. More than a whole
 * window holds takes what is left of it, unless something is reserved: one run with an absurd consumption must not keep
 * out those after it, of which nothing but more than a window is expected then.
 */
export function charge(
  state: LimitState | undefined,
  rule: LimitRule,
  { amount, isReserved }: Amount,
  now: number,
): Charged {
  if (rule.kind === 'rate') return chargeRate(state, rule, amount, now);
  const { at, used, open } = stateAt(state, rule, now);
  const taken = amount > rule.amount && open === 0 ? Math.max(0, rule.amount - used) : Math.min(amount, rule.amount);
  if (used + open + Math.max(taken, 1) > rule.amount) return { kind: 'full', retryAt: endOf(at, rule) };
  const counted = isReserved ? { used, open: open + taken } : { used: used + taken, open };
  return { kind: 'room', state: { at, ...counted }, taken };
}

function chargeRate(
  state: LimitState | undefined,
  rule: Extract<LimitRule, { kind: 'rate' }>,
  amount: number,
  now: number,
): Charged {
  const { amount: perPeriod, periodMs, burst } = rule;
  const intervalMs = periodMs / perPeriod;
  const emptyAt = stateAt(state, rule, now).at + Math.min(amount, burst) * intervalMs;
  const retryAt = emptyAt - burst * intervalMs;
  // Sums of fractions: a thousandth of a millisecond is no time.
  if (retryAt > now + 1e-3) return { kind: 'full', retryAt };
  return { kind: 'room', state: { at: emptyAt, used: 0, open: 0 }, taken: amount };
}

/**
 * The counter as it stands now: a window that has ended is followed by an empty one. So is one that would begin only in a
 * whole window from now: the clock was wrong when it was opened, and nobody should have to wait until it is right again.
 */
export function stateAt(state: LimitState | undefined, rule: LimitRule, now: number): LimitState {
  switch (rule.kind) {
    case 'window':
      return state !== undefined && Math.abs(now - state.at) < rule.periodMs ? state : { at: now, used: 0, open: 0 };
    case 'calendar': {
      // A request that began in the window before is counted in the one that has begun since.
      const startsAt = now < rule.endsAt ? rule.startsAt : rule.endsAt;
      const isOpen = state !== undefined && state.at >= startsAt && state.at <= rule.endsAt;
      const { used, open } = isOpen ? state : empty;
      return { at: startsAt, used, open };
    }
    case 'rate':
      // A burst takes at most a period.
      return state !== undefined && state.at > now && state.at <= now + 2 * rule.periodMs
        ? state
        : { at: now, used: 0, open: 0 };
  }
}

const empty = Object.freeze({ used: 0, open: 0 });

/** From when on a counter says nothing any more. */
export function expiryOf({ at }: LimitState, rule: LimitRule): number {
  return rule.kind === 'rate' ? at : endOf(at, rule);
}

function endOf(at: number, rule: Exclude<LimitRule, { kind: 'rate' }>): number {
  if (rule.kind === 'window') return at + rule.periodMs;
  return at === rule.startsAt ? rule.endsAt : at + (rule.endsAt - rule.startsAt);
}

/** What a counter has used and has left, and when it is as if nothing had been counted. */
export function usageOf(state: LimitState | undefined, rule: LimitRule, now: number) {
  const { at, used, open } = stateAt(state, rule, now);
  if (rule.kind !== 'rate') {
    return { used, reserved: open, left: Math.max(0, rule.amount - used - open), resetsAt: endOf(at, rule) };
  }
  const taken = Math.ceil((Math.max(0, at - now) * rule.amount) / rule.periodMs - 1e-6);
  return { used: taken, reserved: 0, left: Math.max(0, rule.burst - taken), resetsAt: at };
}
