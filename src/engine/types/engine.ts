import type { MaybePromise, RunDelta, RunPosition, RunState } from '../../contract/index.ts';
import type { Executor } from './executor.ts';
import type { Recordings } from './recordings.ts';
import type { NewRun, RunQuery, RunRecord } from './run-record.ts';

/**
 * The right to be the only run of its fingerprint. Held while its run is queued, running or succeeded; released when
 * the run fails or is cancelled, unless `keepOnFailure`. A window counts from the run's acceptance and never ends a
 * claim whose run has not finished.
 */
export interface Claim {
  /** Claims of different scopes never meet. */
  readonly scope: string;
  readonly fingerprint: string;
  /** Milliseconds; undefined: for ever. */
  readonly windowMs: number | undefined;
  readonly keepOnFailure: boolean;
}

export type Submission =
  | {
      readonly kind: 'accepted';
      /** As `Engine.wait` of this run, and whatever its policy keeps: the submitter gets the whole outcome. */
      wait(timeoutMs: number, signal?: AbortSignal): MaybePromise<RunRecord>;
      /** As `Engine.deltas` of this run. */
      deltas(after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta>;
    }
  /** The fingerprint is claimed by this run; nothing was stored. */
  | { readonly kind: 'duplicate'; readonly runId: string }
  /** There is no room; nothing was stored. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** How much an engine has to do. */
export interface EngineLoad {
  readonly queued: number;
  readonly running: number;
}

export type Cancellation =
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'already_final'; readonly state: RunState }
  | { readonly kind: 'not_found' };

/**
 * Keeps runs and dedup claims, and executes runs. Not a stage: `gateway.yaml` picks it. Every engine passes the same
 * conformance kit (src/engine/conformance.ts). A promise that rejects with
 * `EngineUnavailable` means that the store is out of reach: nothing was changed, and the caller may try again.
 */
export interface Engine {
  /** Stores the run and its claim in one atomic step, or neither. Accepted means stored as durably as the engine can. */
  submit(run: NewRun, claim: Claim | undefined): MaybePromise<Submission>;
  /** The run as soon as it is final, or as it stands when `timeoutMs` passes or `signal` aborts; undefined if unknown. */
  wait(runId: string, timeoutMs: number, signal?: AbortSignal): MaybePromise<RunRecord | undefined>;
  get(runId: string): MaybePromise<RunRecord | undefined>;
  /**
   * What the run tells from a position on, as it tells it, until it is final, the engine closes or `signal` aborts. Of a
   * run that has ended nothing: its record has the output. What is told is not stored; a bounded part of it is kept while
   * the run is executed, for those who come later or read slowly.
   */
  deltas(runId: string, after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta>;
  list(query: RunQuery): MaybePromise<readonly RunRecord[]>;
  /** Ends a run that is not final: a queued one never starts, a running one has its signal aborted. */
  cancel(runId: string): MaybePromise<Cancellation>;
  /** Begins to execute. Runs submitted before are kept until then. Called once. */
  start(executor: Executor): MaybePromise<void>;
  load(): EngineLoad;
  /** Absent from an engine that keeps no recorded requests. */
  readonly recordings?: Recordings | undefined;
  /**
   * Stops taking and starting runs, waits up to `drainMs` for running ones to end, aborts the rest, frees everything.
   * A durable engine hands what has not ended to its next start.
   */
  close(drainMs: number): Promise<void>;
}
