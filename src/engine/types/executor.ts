import type { JsonValue, MaybePromise, RunEvent, RunUsage, Session, TriggerInput } from '../../contract/index.ts';
import type { RunRecord } from './run-record.ts';

/** How one attempt ended. What else it leaves is stored in one step with the outcome. */
export type RunOutcome = RunRemains &
  (
    | { readonly kind: 'succeeded' | 'input_required'; readonly output: JsonValue }
    | { readonly kind: 'failed'; readonly message: string; readonly retryable: boolean }
    /** Failed, and to be tried again after so many milliseconds: the run is queued until then. */
    | { readonly kind: 'retry'; readonly message: string; readonly delayMs: number }
  );

export interface RunRemains {
  /** What its session remembers from now on. */
  readonly memory?: JsonValue;
  /** What this attempt has used up. */
  readonly usage?: RunUsage;
}

/** How an attempt tells of itself while it is executed. */
export interface AttemptProgress {
  /** What an attempt saved that was cut short by a crash or a restart, and that this one goes on with; else undefined. */
  readonly checkpoint: JsonValue | undefined;
  /** Stores a checkpoint. Durable when it resolves; at most 64 KiB as JSON. An attempt that fails takes it with it. */
  save(checkpoint: JsonValue): MaybePromise<void>;
  /** Tells it to whoever follows the run. Never waits for them. */
  emit(event: RunEvent): void;
}

/** A run that an executor is given: with its whole input, whatever is kept of it. */
export interface StartedRun extends RunRecord {
  readonly input: TriggerInput;
}

export interface Executor {
  /**
   * Executes one attempt of a run. Called by the engine only. Must settle soon after `signal` aborts. A rejection counts
   * as a failure that is not retryable.
   */
  execute(
    run: StartedRun,
    signal: AbortSignal,
    session: Session | undefined,
    progress: AttemptProgress,
  ): MaybePromise<RunOutcome>;
  /** How many runs of a trigger may be running at once. Asked at each start, since a reload may change it. */
  concurrencyOf?(project: string, trigger: string): number;
  /**
   * Tells somebody that a run is final. At least once for each run that asks for it, also after a crash, until it is
   * done. The attempt counts from 1. The result says in how many milliseconds to try again; undefined: it is done.
   */
  notify?(run: RunRecord, attempt: number, signal: AbortSignal): MaybePromise<number | undefined>;
}
