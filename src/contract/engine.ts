import type { TriggerInput } from './exchange.ts';
import type { JsonValue, MaybePromise } from './json.ts';

/** Where a run stands. `succeeded`, `failed` and `cancelled` are final. */
export type RunState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** Says whether a run in this state will never change again. */
export function isFinal(state: RunState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/** What is stored of a run. Data only, so that another process, or a later start, can take it up. */
export interface RunRecord {
  /** UUIDv7 (RFC 9562). */
  readonly id: string;
  readonly project: string;
  /** The trigger's key as written in YAML. */
  readonly trigger: string;
  /** The revision of the config that accepted it. */
  readonly revision: string;
  /** Id of the principal that fired it. */
  readonly principal: string;
  readonly sessionId: string | undefined;
  readonly input: TriggerInput;
  readonly state: RunState;
  /** How often execution was started; 0 while queued for the first time. */
  readonly attempt: number;
  /** Milliseconds since the epoch, as are the next two. */
  readonly acceptedAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** Set when it succeeded. */
  readonly output: JsonValue | undefined;
  /** Set when it failed: what happened, fit for a caller's eyes. */
  readonly failure: RunFailure | undefined;
}

export interface RunFailure {
  readonly message: string;
  readonly retryable: boolean;
}

/** A run as it is submitted: the record without what only execution can tell. */
export type NewRun = Pick<
  RunRecord,
  'id' | 'project' | 'trigger' | 'revision' | 'principal' | 'sessionId' | 'input' | 'acceptedAt'
>;

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
  | { readonly kind: 'accepted' }
  /** The fingerprint is claimed by this run; nothing was stored. */
  | { readonly kind: 'duplicate'; readonly runId: string }
  /** There is no room; nothing was stored. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export type RunOutcome =
  | { readonly kind: 'succeeded'; readonly output: JsonValue }
  | { readonly kind: 'failed'; readonly message: string; readonly retryable: boolean };

/**
 * Executes one attempt of a run. Called by the engine only. Must settle soon after `signal` aborts. A rejection counts
 * as a failure that is not retryable.
 */
export type Executor = (run: RunRecord, signal: AbortSignal) => MaybePromise<RunOutcome>;

export interface RunQuery {
  readonly project?: string;
  readonly trigger?: string;
  readonly state?: RunState;
  /** Accepted at or after, milliseconds since the epoch. */
  readonly since?: number;
  /** At most this many, newest first. */
  readonly limit: number;
}

export type Cancellation =
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'already_final'; readonly state: RunState }
  | { readonly kind: 'not_found' };

/**
 * Keeps runs and dedup claims, and executes runs. Not a stage: `gateway.yaml` picks it. Every engine passes the same
 * conformance kit (src/engine/conformance.ts). A rejected promise means that the store is out of reach: nothing was
 * changed, and the caller may try again.
 */
export interface Engine {
  /** Stores the run and its claim in one atomic step, or neither. Accepted means stored as durably as the engine can. */
  submit(run: NewRun, claim: Claim | undefined): MaybePromise<Submission>;
  /** The run as soon as it is final, or as it stands when `timeoutMs` passes or `signal` aborts; undefined if unknown. */
  wait(runId: string, timeoutMs: number, signal?: AbortSignal): MaybePromise<RunRecord | undefined>;
  get(runId: string): MaybePromise<RunRecord | undefined>;
  list(query: RunQuery): MaybePromise<readonly RunRecord[]>;
  /** Ends a run that is not final: a queued one never starts, a running one has its signal aborted. */
  cancel(runId: string): MaybePromise<Cancellation>;
  /** Begins to execute. Runs submitted before are kept until then. Called once. */
  start(executor: Executor): MaybePromise<void>;
  /** Stops taking runs, waits up to `drainMs` for running ones to end, aborts the rest, frees everything. */
  close(drainMs: number): Promise<void>;
}
