import type { JsonValue, MaybePromise, RunDelta, RunPosition, RunState } from '../../contract/index.ts';
import type { EngineBroken } from './engine-broken.ts';
import type { Executor, TriggerName } from './executor.ts';
import type { LimitCharge, LimitCounter } from './limits.ts';
import type { Life, NodeRecord } from './node.ts';
import type { RunProgress } from './run-progress.ts';
import type { NewRun, Once, RunQuery, RunRecord } from './run-record.ts';

/**
 * The right to be the only run with its fingerprint (idempotency). Held while its run is queued, running or succeeded;
 * released when the run fails or is cancelled, unless `keepOnFailure`. The window starts when the run is accepted. A claim
 * never expires before its run has finished.
 */
export interface Claim {
  /** Equal fingerprints in different scopes do not conflict. */
  readonly scope: string;
  readonly fingerprint: string;
  /** Milliseconds; undefined: it never expires. */
  readonly windowMs: number | undefined;
  readonly keepOnFailure: boolean;
}

/** A run that had not ended when somebody asked for it. */
export interface ActiveRun {
  /** As `Engine.wait` of this run, but with the whole outcome, even where the run's policy does not keep it. */
  wait(timeoutMs: number, signal?: AbortSignal): MaybePromise<RunRecord>;
  /** As `Engine.deltas` of this run. */
  deltas(after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta>;
}

export type Submission =
  | (ActiveRun & {
      readonly kind: 'accepted';
      /** Limits that would have refused it, if they refused anything. */
      readonly shadowed: readonly string[];
      /** Set if the run was submitted with `debounce`: the run of its burst, and when that starts unless another one joins. */
      readonly burst?: { readonly runId: string; readonly startsAt: number } | undefined;
    })
  /** That run holds the fingerprint; nothing was stored. */
  | { readonly kind: 'duplicate'; readonly runId: string }
  /** That run has taken its `once`; nothing was stored. */
  | { readonly kind: 'repeated'; readonly runId: string }
  /** That run of its session is queued or running, and it was submitted with `onBusy: drop`; nothing was stored. */
  | { readonly kind: 'busy'; readonly runId: string }
  /** Its credential has started as many runs as it may; nothing was stored. */
  | { readonly kind: 'used_up' }
  /** There is no room in this limit before `retryAt`, milliseconds since the epoch; nothing was stored or counted. */
  | { readonly kind: 'limited'; readonly limit: string; readonly retryAt: number }
  /** The queue is full, or the store is unavailable; nothing was stored. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** What a node knows of the nodes that share its engine. */
export interface NodeMembership {
  /** Those that are alive, itself included, as it last read them. */
  readonly nodes: number;
  /** For how long its own lease holds for certain, in milliseconds; 0: it has none. */
  readonly leaseMs: number;
}

/** How many runs an engine has to execute. */
export interface EngineLoad {
  readonly queued: number;
  readonly running: number;
}

/** Whether an engine can store anything now. */
export type StorageHealth = { readonly kind: 'fine' } | { readonly kind: 'unavailable'; readonly reason: string };

export type Cancellation =
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'already_final'; readonly state: RunState }
  | { readonly kind: 'not_found' };

/**
 * Keeps runs and dedup claims, and executes runs. Not a stage: `gateway.yaml` selects it. Every engine passes the same
 * conformance kit (src/engine/conformance.ts). A promise that rejects with `EngineUnavailable` has changed nothing, and the
 * caller may retry.
 */
export interface Engine {
  /**
   * Stores the run, its claim and its `once`, and counts the use of its credential and what it takes of limits, in one atomic step, or
   * nothing of it. A duplicate is no use. Accepted means stored as durably as the engine can. What is reserved of tokens and
   * cost is settled in the step that stores the end of the run.
   *
   * Of a session whose runs have `onBusy: drop`, one is queued or running at a time, however many are submitted at once. With
   * `replace`, the runs that are queued or running are cancelled after the new one was stored, so that a crash between leaves
   * both.
   *
   * A run with `debounce` may join a burst. Then its input and its claim replace those of the run that waits, in one atomic
   * step: that run keeps its id and what it has taken of limits and uses, and the claim of the input that never runs is
   * released.
   */
  submit(run: NewRun, claim: Claim | undefined, limits?: readonly LimitCharge[]): MaybePromise<Submission>;
  /** The run that holds a claim, or that has taken a `once`: what a submission would be answered with now. */
  holder(claim: Once): MaybePromise<string | undefined>;
  /** The run once it is final, or as it is when `timeoutMs` has passed or `signal` aborts; undefined if unknown. */
  wait(runId: string, timeoutMs: number, signal?: AbortSignal): MaybePromise<RunRecord | undefined>;
  get(runId: string): MaybePromise<RunRecord | undefined>;
  /** Where a run is beyond what its record says; undefined if it is unknown. */
  progress(runId: string): MaybePromise<RunProgress | undefined>;
  /** The run as its submission returned it, while this process executes it or has it queued; undefined otherwise. */
  active(runId: string): ActiveRun | undefined;
  /**
   * Streams what the agent says from a position on, until the run is final, the engine closes or `signal` aborts. Empty for
   * a final run: its record has the output. Deltas are not stored; while the run is executed, a bounded buffer serves late
   * and slow consumers.
   */
  deltas(runId: string, after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta>;
  list(query: RunQuery): MaybePromise<readonly RunRecord[]>;
  /** The counters of a limit, those that have counted most first, at most `most`. */
  limitCounters(limit: string, most: number): MaybePromise<readonly LimitCounter[]>;
  /**
   * Forgets what a limit has counted, for one value of `per` or all of them. Returns for how many. What is reserved is not
   * forgotten by its runs: what they consume beyond it counts.
   */
  resetLimit(limit: string, value: string | undefined): MaybePromise<number>;
  /** Ends a run that is not final: a queued one never starts, a running one has its signal aborted. */
  cancel(runId: string): MaybePromise<Cancellation>;
  /**
   * Keeps the completion that an agent has posted for a run that another node executes, and hands it to the attempt there. The
   * first counts. False: the run is final or unknown. Absent from an engine of one process.
   */
  deliver?(runId: string, completion: JsonValue): MaybePromise<boolean>;
  /** The nodes that share the store, this one included. Absent from an engine of one process. */
  nodes?(): MaybePromise<readonly NodeRecord[]>;
  /** Undefined for an engine of one process. */
  readonly membership?: NodeMembership | undefined;
  /** The life of this node, as `nodes` names it; undefined while it has none. */
  readonly life?: Life | undefined;
  /** Starts executing runs, those submitted before included. Called once. */
  start(executor: Executor): MaybePromise<void>;
  /** What the executor says of triggers may have changed: runs that have a place now are started. */
  reconsider(): void;
  load(): EngineLoad;
  /** Triggers whose queues are held because their agents are down. */
  openCircuits(): readonly TriggerName[];
  /** Whether anything can be stored now, found out by storing something. Never rejects. */
  health(): MaybePromise<StorageHealth>;
  /** Resolves when the store turns out to be damaged, or its thread has died: nothing is stored from then on. */
  readonly broken: Promise<EngineBroken>;
  /**
   * Stops accepting and starting runs, drains running ones for up to `drainMs`, aborts the rest, and frees all resources. A
   * durable engine leaves what has not ended to its next start.
   */
  close(drainMs: number): Promise<void>;
}
