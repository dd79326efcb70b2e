import type { JsonValue, MaybePromise, RunEvent, RunUsage, Session, TriggerInput } from '../../contract/index.ts';
import type { RunCost, RunRecord } from './run-record.ts';

/**
 * How one attempt ended. Memory and usage are stored in one step with it. `detail`: what the agent said of the failure, which
 * is kept under the run's policy.
 */
export type RunOutcome = RunRemains &
  (
    | { readonly kind: 'succeeded' | 'input_required'; readonly output: JsonValue }
    | { readonly kind: 'failed'; readonly message: string; readonly retryable: boolean; readonly detail?: string }
    /** Failed, and retried after `delayMs`: the run is queued until then. */
    | { readonly kind: 'retry'; readonly message: string; readonly delayMs: number; readonly detail?: string }
  );

export interface RunRemains {
  /** What its session remembers from now on. */
  readonly memory?: JsonValue;
  /** The usage of this attempt. */
  readonly usage?: RunUsage;
  /** What that usage has cost. */
  readonly cost?: RunCost;
}

/** A run with its whole input, even if its record is masked or keeps none. */
export interface StartedRun extends RunRecord {
  readonly input: TriggerInput;
}

/** One attempt as the engine hands it to its executor. */
export interface EngineAttempt {
  /** Aborts when the run is cancelled, or, with an AttemptReleased as its reason, when the engine closes. */
  readonly signal: AbortSignal;
  /** Undefined for a run without a sessionId. */
  readonly session: Session | undefined;
  /** What an attempt saved before it was interrupted by a crash or a restart, for this one to continue with. */
  readonly checkpoint: JsonValue | undefined;
  /** Stores a checkpoint. Durable when it resolves; at most 64 KiB as JSON. It is discarded when the attempt fails. */
  save(checkpoint: JsonValue): MaybePromise<void>;
  /** Publishes an event to those who read the run's deltas. Never waits for them. */
  emit(event: RunEvent): void;
}

export interface Executor {
  /**
   * Executes one attempt of a run. Called by the engine only. Must settle soon after `attempt.signal` aborts. A rejection
   * counts as a failure that is not retryable.
   */
  execute(run: StartedRun, attempt: EngineAttempt): MaybePromise<RunOutcome>;
  /** How many runs of a trigger may be running at once. Asked at each start, since a reload may change it. */
  concurrencyOf?(project: string, trigger: string): number;
  /**
   * Sends the callback of a final run. At-least-once for each run with `policy.notify`, also after a crash. Attempts count
   * from 1. Returns the milliseconds until the next attempt, or undefined when there is none.
   */
  notify?(run: RunRecord, attempt: number, signal: AbortSignal): MaybePromise<number | undefined>;
}
