import type { JsonValue, MaybePromise } from './json.ts';

/**
 * Where a run stands. All but `queued` and `running` are final. `input_required`: the agent asked back, its question is
 * the output, and the next run of the same session answers it.
 */
export const runStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'input_required'] as const;
export type RunState = (typeof runStates)[number];

/** Says whether a run in this state will never change again. */
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
}

/** What an attempt tells while it is executed: a piece of the agent's answer, in the order of the text. */
export interface RunEvent {
  readonly kind: 'delta';
  readonly text: string;
}

/** A place in what a run has told: so many UTF-16 units of the text of an attempt. Attempts count from 1. */
export interface RunPosition {
  readonly attempt: number;
  readonly offset: number;
}

/** A piece of what a run has told. `offset` is where it begins: a gap is what could not be kept for a slow reader. */
export interface RunDelta extends RunPosition {
  readonly text: string;
}

/** A conversation: runs of one (project, trigger, sessionId) are executed one at a time, in the order of acceptance. */
export interface Session {
  /** What its runs have remembered, as of the start of the attempt; undefined in a new or expired session. */
  readonly memory: JsonValue | undefined;
  /** Stores what is to be remembered before the attempt ends. Durable when it resolves; at most 1 MiB as JSON. */
  remember(memory: JsonValue): MaybePromise<void>;
}
