import type { Bindings, Circumstances, FilterLimits } from '../limits.ts';

/** What a worker is asked to evaluate. Goes over the channel as JSON. */
export interface Job {
  readonly source: string;
  /** `boolean`: only JSONata's $boolean of the value is wanted. */
  readonly wants: 'value' | 'boolean' | Watch;
  readonly input?: unknown;
  readonly bindings: Bindings;
  readonly circumstances: Circumstances;
  readonly limits: FilterLimits;
}

/** Wanted is how conditions come out: for each, its nodes by their places in `nodesOf` of the syntax tree. */
export interface Watch {
  readonly conditions: readonly (readonly number[])[];
}

export type Answer =
  | { readonly kind: 'value'; readonly value?: unknown }
  | { readonly kind: 'error'; readonly code: string; readonly position?: number; readonly token?: string };

/** What a worker sends: once that it is ready, then an answer to each job. */
export type Message = { readonly kind: 'ready' } | Answer;

/** Characters of JSON that a value may have to leave a worker. */
export const maxAnswerLength = 4 * 1024 * 1024;

/** Milliseconds beyond its limit after which a worker ends itself, if nobody else did: its parent may be gone. */
export const watchdogGraceMs = 1000;
