import type { Bindings, Circumstances, FilterLimits } from '../limits.ts';

/** What a pool knows of a job, whatever its workers do. Sent over the channel as JSON. */
export interface PooledJob {
  readonly limits: { readonly timeoutMs: number };
  /**
   * Milliseconds that the worker may take to prepare, e.g. to compile what it has not seen yet; default 0. The time limit
   * begins when it reports `started`.
   */
  readonly preparationMs?: number;
}

/** The evaluation of an expression. */
export interface Job extends PooledJob {
  readonly source: string;
  /** `boolean`: return only JSONata's $boolean of the value. */
  readonly wants: 'value' | 'boolean' | Watch;
  readonly input?: unknown;
  readonly bindings: Bindings;
  readonly circumstances: Circumstances;
  readonly limits: FilterLimits;
}

/** Asks for the outcomes of conditions: for each, the indexes of its nodes in `nodesOf` of the syntax tree. */
export interface Watch {
  readonly conditions: readonly (readonly number[])[];
}

export type Answer =
  | { readonly kind: 'value'; readonly value?: unknown }
  | { readonly kind: 'error'; readonly code: string; readonly position?: number; readonly token?: string };

/** A worker sends `ready` once, then an answer to each job; before it `started` if it had something to prepare. */
export type Message = { readonly kind: 'ready' } | { readonly kind: 'started' } | Answer;

/** The maximum length of a worker's answer, in characters of JSON. */
export const maxAnswerLength = 4 * 1024 * 1024;

/** Milliseconds past its limit after which a worker exits on its own: its parent may have died. */
export const watchdogGraceMs = 1000;
