import type { JsonValue, MaybePromise } from './json.ts';

/**
 * Where a run stands. All but `queued` and `running` are final. `input_required`: the agent has a question,
 * which is the output; the next run of the same session answers it.
 */
export const runStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'input_required'] as const;
export type RunState = (typeof runStates)[number];

/** Whether a run in this state is over: it never changes again. */
export function isFinal(state: RunState): boolean {
  return state !== 'queued' && state !== 'running';
}

export interface RunFailure {
  readonly message: string;
  readonly retryable: boolean;
}

/** Tokens, as a language model's provider counts and bills them. */
export interface RunUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** As the provider names it, at most 128 characters: its price is looked up by it. Of several models, the last. */
  readonly model?: string;
  /** The part of `inputTokens` that was read from the provider's cache. */
  readonly cachedTokens?: number;
  /** The part of `outputTokens` that the model spent on reasoning. */
  readonly reasoningTokens?: number;
}

/** The most tokens of a kind in one attempt, more than any model uses. An agent may report any number. */
export const mostTokens = 1e12;

/** What a run has cost, under the prices of the config that accepted it. */
export interface RunCost {
  /** In billionths of the currency: an integer, so that sums are exact. */
  readonly nanos: number;
  /** ISO 4217. */
  readonly currency: string;
}

/** What an attempt publishes while it is executed: a piece of the output, in the order of the text. */
export interface RunEvent {
  readonly kind: 'delta';
  readonly text: string;
}

/** A position in the streamed output of an attempt, in UTF-16 units. Attempts count from 1. */
export interface RunPosition {
  readonly attempt: number;
  readonly offset: number;
}

/** A piece of the streamed output. `offset` is its start: a gap before it was dropped for a slow consumer (backpressure). */
export interface RunDelta extends RunPosition {
  readonly text: string;
}

/**
 * A conversation: the runs of one project, trigger, sessionId and caller, or of all callers if the trigger's `sessions.scope`
 * is `trigger`. They are executed one at a time, in the order of acceptance.
 */
export interface Session {
  /** What earlier runs left, as of the start of the attempt; undefined in a new or expired session. */
  readonly memory: JsonValue | undefined;
  /** Stores memory before the attempt ends. Durable when it resolves; at most 1 MiB as JSON. */
  remember(memory: JsonValue): MaybePromise<void>;
}
