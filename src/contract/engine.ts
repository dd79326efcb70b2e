import type { TriggerInput } from './exchange.ts';
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
  /** The run whose input this one repeats, if it is a replay. */
  readonly replayOf: string | undefined;
  /** With what the trigger's record policy masks; undefined where the policy keeps no input of a run that is final. */
  readonly input: TriggerInput | undefined;
  readonly state: RunState;
  /** How often execution was started; 0 while queued for the first time. */
  readonly attempt: number;
  /** Milliseconds since the epoch, as are all times here. */
  readonly acceptedAt: number;
  /** When the latest attempt was started. */
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** When a queued run is tried again after an attempt that failed. */
  readonly retryAt: number | undefined;
  /** Attempts that failed and were followed, or will be, by another one. The oldest first. */
  readonly failedAttempts: readonly FailedAttempt[];
  /** Set when it succeeded or asked back, unless the record policy keeps no output. */
  readonly output: JsonValue | undefined;
  /** Set when it failed: what happened, fit for a caller's eyes. */
  readonly failure: RunFailure | undefined;
  /** What all its attempts have used up together, where the agent tells. */
  readonly usage: RunUsage | undefined;
}

/** Tokens, as a language model's provider counts and bills them. */
export interface RunUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface RunFailure {
  readonly message: string;
  readonly retryable: boolean;
}

export interface FailedAttempt {
  /** 1 for the first. */
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** What happened, fit for a caller's eyes. */
  readonly message: string;
}

/** A run as it is submitted: the record without what only execution can tell. */
export interface NewRun
  extends Pick<
    RunRecord,
    'id' | 'project' | 'trigger' | 'revision' | 'principal' | 'sessionId' | 'replayOf' | 'acceptedAt'
  > {
  readonly input: TriggerInput;
  readonly policy: RunPolicy;
}

/** What the trigger wants of the engine besides the execution of its runs. */
export interface RunPolicy {
  /**
   * What is kept of a run that is final: `full` all, `metadata` neither input nor output, `none` nothing at all. Until
   * then a run needs its input, and its claim outlives it in any case.
   */
  readonly keep: 'full' | 'metadata' | 'none';
  /**
   * JSON pointers (RFC 6901) into the input. Values there are masked before anything is stored. A run with a masked
   * input cannot be resumed in another process: it fails there, and lets go of its claim.
   */
  readonly mask: readonly string[];
  /** How long a session is remembered after its last run, in milliseconds. */
  readonly sessionTtlMs: number;
  /** Whether the executor is to be notified when the run is final. */
  readonly notify: boolean;
}

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
      /** As `Engine.follow` of this run. */
      follow(after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta>;
    }
  /** The fingerprint is claimed by this run; nothing was stored. */
  | { readonly kind: 'duplicate'; readonly runId: string }
  /** There is no room; nothing was stored. */
  | { readonly kind: 'unavailable'; readonly reason: string };

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

/** A conversation: runs of one (project, trigger, sessionId) are executed one at a time, in the order of acceptance. */
export interface Session {
  /** What its runs have remembered, as of the start of the attempt; undefined in a new or expired session. */
  readonly memory: JsonValue | undefined;
  /** Stores what is to be remembered before the attempt ends. Durable when it resolves; at most 1 MiB as JSON. */
  remember(memory: JsonValue): MaybePromise<void>;
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

export interface RunQuery {
  readonly project?: string;
  readonly trigger?: string;
  readonly state?: RunState;
  /** Accepted at or after, milliseconds since the epoch. */
  readonly since?: number;
  /** Older than this run in the order of the list: the last of the page before. */
  readonly after?: Pick<RunRecord, 'id' | 'acceptedAt'>;
  /** At most this many, newest first. */
  readonly limit: number;
}

/** How a request that reached the pipeline came out. */
export const verdicts = ['accepted', 'dropped', 'duplicate', 'unavailable'] as const;
export type RecordedVerdict = (typeof verdicts)[number];

/** A request that was kept as a sample of what callers send. Data only. */
export interface RecordedRequest {
  /** UUIDv7 (RFC 9562). */
  readonly id: string;
  /** When it arrived, milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly project: string;
  /** The trigger's key as written in YAML. */
  readonly trigger: string;
  /** Id of the principal that sent it. */
  readonly principal: string;
  readonly ip: string;
  /** Those that a filter or dedup plugin of the trigger reads, and none that carries a credential. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as sent, but for what is masked; undefined if there was none. */
  readonly bodyText: string | undefined;
  /** JSON pointers (RFC 6901) into the body at which something was masked. */
  readonly masked: readonly string[];
  readonly verdict: RecordedVerdict;
  /** The code of the reply, if it was an error. */
  readonly code: string | undefined;
  readonly status: number;
  /** Name of the filter that dropped it, or failed on it. */
  readonly by: string | undefined;
  /** Its run, or the run that it duplicates. */
  readonly runId: string | undefined;
  /** The revision of the config that decided. */
  readonly revision: string;
  /** What of the config decided: `file:line`. */
  readonly provenance: string;
}

/** How many recorded requests are kept: those that came last, within all of the bounds. */
export interface RecordingBounds {
  readonly count: number;
  /** Milliseconds since they arrived. */
  readonly ageMs: number;
  /** Of headers and bodies together. */
  readonly sizeBytes: number;
}

/** A request to be kept, and how many of its trigger and how old they may become, where that is less than for all. */
export interface NewRecording {
  readonly request: RecordedRequest;
  readonly count: number | undefined;
  readonly ageMs: number | undefined;
}

export interface RecordingQuery {
  readonly project?: string;
  readonly trigger?: string;
  readonly verdict?: RecordedVerdict;
  /** Received at or after, milliseconds since the epoch. */
  readonly since?: number;
  readonly order: 'newest' | 'oldest';
  /** What follows this one in that order: the last of the page before. */
  readonly after?: Pick<RecordedRequest, 'id' | 'receivedAt'>;
  readonly limit: number;
}

/** Where recorded requests are kept: a sample, so that losing the last second of it in a crash does no harm. */
export interface Recordings {
  /** Keeps them, and lets go of what is beyond the bounds. */
  record(recordings: readonly NewRecording[], bounds: RecordingBounds): MaybePromise<void>;
  get(id: string): MaybePromise<RecordedRequest | undefined>;
  list(query: RecordingQuery): MaybePromise<readonly RecordedRequest[]>;
}

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
  follow(runId: string, after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta>;
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
