import type { Place } from '../../../diagnostics/problem.ts';
import type { LimitUnit } from '../../../engine/types/index.ts';
import type { Forecast } from './statistics.ts';

/** What a change does to what is refused, how long runs wait, and what they consume. By simulation of the recorded requests. */
export interface Impact {
  readonly limits: readonly LimitImpact[];
  readonly triggers: readonly TriggerImpact[];
  /** The cost of a day, of all triggers together; undefined if no recorded run has one. */
  readonly cost: { readonly currency: string; readonly before: number; readonly after: number } | undefined;
}

/** What a new, changed or removed limit refuses, or one that refuses other requests than before. */
export interface LimitImpact {
  readonly limit: string;
  readonly unit: LimitUnit;
  /** Where it is declared: `gateway`, `project ID`, `trigger PROJECT/KEY` or `key ID`. */
  readonly of: string;
  /** Counts, and refuses nothing: what it refused is what it would refuse. */
  readonly isShadow: boolean;
  readonly isRemoved: boolean;
  /** How many recorded requests it counted or refused. */
  readonly requests: number;
  readonly refused: number;
  readonly refusedBefore: number;
  /** Of the refused ones. Undefined if there are none. */
  readonly when: RefusedWhen | undefined;
  /** Those with the most refused requests, as are triggers and values. */
  readonly callers: readonly Share[];
  readonly triggers: readonly Share[];
  /** Values of `per`; those that may be personal are masked. */
  readonly values: readonly Share[];
  /** Undefined for a removed limit. */
  readonly smallest: SmallestLimits | undefined;
  readonly place: Place;
}

export interface Share {
  readonly name: string;
  readonly count: number;
}

/** Times are in milliseconds since the epoch. */
export interface RefusedWhen {
  readonly first: number;
  readonly last: number;
  /** The window of the limit's length with the most refused requests. */
  readonly busiest: { readonly from: number; readonly ms: number; readonly count: number };
}

/** The smallest amounts with which a limit refuses none, and at most one in a thousand. Cost in billionths. */
export interface SmallestLimits {
  /** How many requests the search has simulated, the oldest. */
  readonly requests: number;
  readonly none: SmallestLimit;
  readonly oneInThousand: SmallestLimit;
}

export type SmallestLimit =
  | { readonly kind: 'found'; readonly amount: number }
  /** The search ended before: it is this or less. */
  | { readonly kind: 'at_most'; readonly amount: number }
  /** None does, for example because the burst is too small. */
  | { readonly kind: 'none' }
  /** The search ended before one was found. */
  | { readonly kind: 'unknown' };

export interface TriggerImpact {
  /** `project/key` */
  readonly trigger: string;
  /** p95 in milliseconds; undefined unless places changed. */
  readonly waiting: { readonly before: number; readonly after: number } | undefined;
  readonly perDay: PerDay | undefined;
}

export interface PerDay {
  /** The sampling rate by which numbers were scaled up. */
  readonly rate: number;
  /** How much time was recorded, in milliseconds. */
  readonly recordedMs: number;
  readonly runs: DailyChange;
  /** Undefined if no recorded run reports tokens. */
  readonly tokens: DailyChange | undefined;
  /** In the currency, as a decimal number. Undefined if no recorded run has a cost. */
  readonly cost: (DailyChange & { readonly currency: string }) | undefined;
}

export interface DailyChange {
  readonly before: Forecast;
  readonly after: Forecast;
  readonly change: Forecast;
}
