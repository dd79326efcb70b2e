import type { SecretReference } from '../contract/index.ts';
import type { Place } from '../diagnostics/problem.ts';

/** What the gateway alerts people to, and where it sends that. */
export interface AlertsConfig {
  readonly receivers: readonly AlertReceiverConfig[];
  readonly intervalMs: number;
  readonly rules: readonly AlertRuleConfig[];
}

export interface AlertReceiverConfig {
  /** Unique. */
  readonly name: string;
  readonly format: 'standard' | 'slack';
  /** `{ env }` or `{ file }` as written, where it holds a token; resolved by the host. */
  readonly url: string | SecretReference;
  /** Of `standard`. */
  readonly secret: SecretReference | undefined;
  /** Absolute path of the folder of the declaring file: relative paths of secrets start there. */
  readonly folder: string;
  readonly place: Place;
}

/** What a rule is about. */
export interface AlertScope {
  /** Undefined: all. */
  readonly project: string | undefined;
  /** The key; with `project`. */
  readonly trigger: string | undefined;
}

export interface AlertRuleConfig {
  /** Unique: its alerts are known by it across revisions. */
  readonly name: string;
  readonly condition: AlertCondition;
  readonly scope: AlertScope;
  /** How long the condition must hold before its alert fires. */
  readonly forMs: number;
  /** How long it must be over before its alert is resolved. */
  readonly keepFiringForMs: number;
  /** Names of receivers. */
  readonly to: readonly string[];
  readonly place: Place;
}

/** What is watched apart. */
export type AlertPer = 'trigger' | 'project' | 'all';

/** Shares are from 0 to 1. */
export type AlertCondition =
  | CountedCondition
  | { readonly kind: 'silence'; readonly per: AlertPer; readonly hours: AlertHours | undefined }
  /** `limit`: its name; undefined: all that count for an hour or longer. */
  | { readonly kind: 'budget'; readonly threshold: number; readonly limit: string | undefined }
  | { readonly kind: 'expiry'; readonly withinMs: number }
  | { readonly kind: 'reload' }
  | { readonly kind: 'queue'; readonly threshold: number }
  | { readonly kind: 'circuit' };

/** A condition on what is counted in a window of time. */
export type CountedCondition = {
  readonly withinMs: number;
  readonly minCount: number;
  readonly per: AlertPer;
} & (
  | { readonly kind: 'failures'; readonly threshold: number }
  /** `threshold`: the rise of the share. */
  | { readonly kind: 'drops'; readonly threshold: number }
  | {
      readonly kind: 'latency';
      readonly thresholdMs: number;
      readonly percentile: number;
      readonly measure: 'request' | 'attempt';
    }
);

/** Hours of days of a week, by the clocks of a zone. */
export interface AlertHours {
  /** Minutes of the day. `to` is less than `from` if they end on the next day. */
  readonly from: number;
  readonly to: number;
  /** The days on which they begin, 0 for Sunday. */
  readonly days: readonly number[];
  readonly zone: string;
}

/** A course of events, and what must become of an alert. */
export interface AlertTest {
  readonly name: string;
  /** Of the rule. */
  readonly alert: string;
  /** When it begins, milliseconds since the epoch. */
  readonly clock: number;
  /** Times are milliseconds since `clock`. */
  readonly events: readonly (AlertEvent & { readonly at: number })[];
  readonly expect: readonly AlertExpectation[];
  readonly place: Place;
}

/** A trigger as an event names it. */
interface EventTrigger {
  readonly project: string;
  readonly trigger: string;
}

export type AlertEvent =
  | (EventTrigger & {
      readonly kind: 'requests';
      readonly outcome: string;
      readonly count: number;
      readonly tookMs: number;
    })
  | (EventTrigger & { readonly kind: 'runs'; readonly state: AlertRunState; readonly count: number })
  | (EventTrigger & {
      readonly kind: 'attempts';
      readonly result: 'succeeded' | 'failed' | 'retry';
      readonly count: number;
      readonly tookMs: number;
    })
  | { readonly kind: 'reload'; readonly outcome: 'accepted' | 'rejected' }
  | (EventTrigger & { readonly kind: 'circuit'; readonly isOpen: boolean })
  | { readonly kind: 'queue'; readonly share: number }
  | { readonly kind: 'used'; readonly limit: string; readonly share: number }
  /** `inMs`: from `clock`. */
  | { readonly kind: 'expires'; readonly inMs: number };

export type AlertRunState = 'succeeded' | 'failed' | 'cancelled' | 'input_required';

export interface AlertExpectation {
  readonly at: number;
  readonly state: 'inactive' | 'pending' | 'firing' | 'resolved';
  /** How many messages have been sent. */
  readonly sent: number | undefined;
}
