import type { Exchange } from './exchange.ts';
import type { JsonPrimitive, JsonValue, MaybePromise } from './json.ts';
import type { RequestReads } from './reads.ts';

/** Decides whether a request is worth a run. */
export interface Filter {
  evaluate(exchange: Exchange): MaybePromise<FilterResult>;
  /** What it reads in addition to the body. */
  readonly reads?: RequestReads;
  /**
   * What reviewers of a config should know of it. Asked by `pullcord test`, `explain` and `plan`, never by a request.
   * @experimental
   */
  review?(): FilterReview;
}

export type FilterResult =
  | { readonly kind: 'passed' }
  | { readonly kind: 'dropped'; readonly reason: string }
  /** The evaluation itself failed. The reason must not repeat values of the body. */
  | { readonly kind: 'error'; readonly reason: string };

/**
 * A filter as its reviewers see it. Its values come from bodies: show them only to those who may see these.
 * @experimental
 */
export interface FilterReview {
  /** The conditions that tests should see both true and false, in the order of the options. */
  readonly conditions: readonly FilterCondition[];
  /** What the filter reads and compares: raw material for a counterexample that distinguishes two versions of it. */
  readonly vocabulary: FilterVocabulary;
  /** Returns how each of `conditions`, in their order, was evaluated for the exchange. Never rejects because of the body. */
  observe(exchange: Exchange): MaybePromise<readonly ObservedCondition[]>;
  /** Its result if that is the same for every request. */
  readonly always?: 'passed' | 'dropped';
  /** Whether a request passes on which its evaluation fails. */
  readonly failsOpen?: boolean;
  /**
   * Decides as `evaluate` does, but independently of the speed of the machine: it waits longer where `evaluate` has a
   * deadline. Absent: `evaluate` decides the same on any machine.
   */
  judge?(exchange: Exchange): MaybePromise<FilterJudgement>;
  /** Returns why `evaluate` decides as it does: each condition that must hold, with its value. Never rejects because of the body. */
  explain(exchange: Exchange): MaybePromise<readonly ExplainedCondition[]>;
}

/**
 * A result that is the same on any machine; `undecided`: it took too long even so.
 * @experimental
 */
export type FilterJudgement = FilterResult | { readonly kind: 'undecided'; readonly reason: string };

export interface FilterCondition {
  /** As written in the options. */
  readonly source: string;
  /** JSON pointer (RFC 6901) into the options. */
  readonly pointer: string;
  /** Where in the string at `pointer` it begins, in UTF-16 units. */
  readonly offset?: number;
}

/** Both are false for a condition that was not evaluated; both may be true for one that is evaluated per item. */
export interface ObservedCondition {
  readonly seenTrue: boolean;
  readonly seenFalse: boolean;
}

export interface FilterVocabulary {
  /** Members of the input that are read, from the root: `['customer', 'plan']`. Items of an array share one path. */
  readonly paths: readonly (readonly string[])[];
  /** What they may be compared with. */
  readonly constants: readonly JsonPrimitive[];
}

export interface ExplainedCondition extends ExplainedPart {
  readonly passes: boolean;
  /** What stands between two parts of a comparison, e.g. `=` or `in`. */
  readonly operator?: string;
  /** JSON pointer (RFC 6901) into the options: the text that `errorOffset` counts in. */
  readonly pointer?: string;
}

/** A part of a filter with its value or its error; neither: it evaluated to nothing (JSONata's undefined). */
export interface ExplainedPart {
  readonly source: string;
  /** NaN and infinite numbers, which JSON cannot represent, are shown by their names. */
  readonly value?: JsonValue;
  /** The error of its evaluation: a code, or what there is to say. */
  readonly error?: string;
  /** What the code means, in words. */
  readonly errorMessage?: string;
  /** Where it failed in the option at `pointer` of the condition, in UTF-16 units. */
  readonly errorOffset?: number;
  /** What it is made of, e.g. the two sides of a comparison, or the arguments of a function. */
  readonly parts?: readonly ExplainedPart[];
}
