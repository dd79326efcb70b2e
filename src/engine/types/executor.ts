import type { JsonValue, MaybePromise, RunEvent, RunUsage, Session, TriggerInput } from '../../contract/index.ts';
import type { NodeRecord, ServedConfig } from './node.ts';
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

export interface Concurrency {
  readonly limit: number;
  /** Whether it limits the runs of each `concurrencyValue` by themselves, and not all of the trigger together. */
  readonly isPerValue: boolean;
}

/** When the queue of a trigger is held because its agent is down. */
export interface CircuitRule {
  /** After how many attempts in a row that failed and may be retried. */
  readonly failures: number;
  /** For how long, before one run is let through. */
  readonly pauseMs: number;
}

export interface TriggerName {
  readonly project: string;
  /** The trigger's key as written in YAML. */
  readonly trigger: string;
}

export interface Executor {
  /**
   * Executes one attempt of a run. Called by the engine only. Must settle soon after `attempt.signal` aborts. A rejection
   * counts as a failure that is not retryable.
   */
  execute(run: StartedRun, attempt: EngineAttempt): MaybePromise<RunOutcome>;
  /**
   * How many runs of a trigger may be running at once; undefined: as many as the engine executes. Asked at each start, since a
   * reload may change it; `Engine.reconsider` says when.
   */
  concurrencyOf?(project: string, trigger: string): Concurrency | undefined;
  /** Undefined: the queue of the trigger is never held. Asked when an attempt has failed. */
  circuitOf?(project: string, trigger: string): CircuitRule | undefined;
  /**
   * Sends the callback of a final run. At-least-once for each run with `policy.notify`, also after a crash. Attempts count
   * from 1. Returns the milliseconds until the next attempt, or undefined when there is none.
   */
  notify?(run: RunRecord, attempt: number, signal: AbortSignal): MaybePromise<number | undefined>;
  /**
   * A run has become final, however, and that is stored. Called once for each run, by the engine that has stored its end. An end
   * that is stored just before a crash may be missed. Must not throw.
   */
  ended?(run: RunRecord): void;
  /**
   * Whether a run of this trigger can be executed here; absent: any can. Asked by engines of several nodes, which may serve
   * different revisions, and again after `Engine.reconsider`.
   */
  serves?(project: string, trigger: string): boolean;
  /** What this node serves; absent: nothing that has a name. */
  describe?(): ServedConfig;
  /**
   * Hands the completion that an agent has posted at another node to the attempt that waits for it. False: none waits for it yet,
   * and the engine asks again while the attempt lives.
   */
  complete?(runId: string, completion: JsonValue): boolean;
  /** Called with the nodes that share the store, this one included, whenever the engine has read them. */
  onNodes?(nodes: readonly NodeRecord[]): void;
}
