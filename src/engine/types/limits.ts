/** What a limit counts. `cost` is in billionths of the currency, so that sums are exact. */
export type LimitUnit = 'requests' | 'runs' | 'tokens' | 'cost';

/** How much fits, and until when it counts. Times and periods are in milliseconds, times since the epoch. */
export type LimitRule =
  /** `amount` in a window that opens with the first charge and lasts `periodMs`. */
  | { readonly kind: 'window'; readonly amount: number; readonly periodMs: number }
  /** `burst` at once, then `amount` per `periodMs`, evenly spread (GCRA, ITU-T I.371). */
  | { readonly kind: 'rate'; readonly amount: number; readonly periodMs: number; readonly burst: number }
  /** `amount` from `startsAt` until `endsAt`, when the next window starts: a day or a month somewhere. */
  | { readonly kind: 'calendar'; readonly amount: number; readonly startsAt: number; readonly endsAt: number };

/** What a run or a request takes of one limit. */
export interface LimitCharge {
  /** Identifies the limit, for as long as what it counts is comparable. */
  readonly limit: string;
  /** Which of its counters: the value of `per`. */
  readonly value: string;
  readonly unit: LimitUnit;
  readonly rule: LimitRule;
  /** How much is counted at once; tokens and cost are reserved, and settled when the run has ended. */
  readonly amount: number;
  /** What a run counts that reports no usage. */
  readonly unreported: number;
  /** Counts, and refuses nothing. */
  readonly isShadow: boolean;
  /** How many values are counted apart; all further ones share one counter. */
  readonly maxValues: number;
}

/** What a counter stands at. */
export interface LimitState {
  /** When its window opened. Of a rate: when it will be as if nothing had been counted (the theoretical arrival time). */
  readonly at: number;
  /** Counted in this window, and settled. */
  readonly used: number;
  /** Reserved by runs that have not ended. */
  readonly open: number;
}

/** A counter as operators see it. */
export interface LimitCounter extends LimitState {
  readonly limit: string;
  readonly value: string;
}

/** What a run has reserved of a limit. Stored with the run until it ends. */
export interface LimitReservation
  extends Pick<LimitCharge, 'limit' | 'value' | 'unit' | 'rule' | 'amount' | 'unreported'> {
  /** `at` of the window that it was counted in. */
  readonly at: number;
}

/** What a run has consumed at its end; undefined: its agent reports nothing of it. */
export interface Consumption {
  readonly tokens: number | undefined;
  readonly cost: number | undefined;
  /** Whether an attempt was cut short, whose consumption nobody knows: it counts at least what it reserved. */
  readonly isPartial?: boolean;
}

/** The counter that all values share for which there is no room. */
export const otherValues = '…';
