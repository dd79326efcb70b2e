import type { JsonValue, MaybePromise, RunFailure, RunOrigin, RunUsage, TriggerInput } from '../../contract/index.ts';
import type {
  Claim,
  EngineBroken,
  FailedAttempt,
  LimitCharge,
  LimitCounter,
  NewRun,
  Once,
  RunCost,
  RunPolicy,
  RunProgress,
  RunQuery,
  RunRecord,
  Submission,
} from '../types/index.ts';

/** A run that is not final when an engine starts. */
export interface PendingRun {
  /** Without its input and origin, however many there are: `start` returns them. */
  readonly record: RunRecord;
  readonly policy: RunPolicy;
  /** Whether parts of the input were masked: then it cannot be executed from the store. */
  readonly isMasked: boolean;
  /** Set if it waits for the end of its burst. */
  readonly burst: StoredBurst | undefined;
}

/** The burst of a run that waits for its end, as it is stored with the run. */
export interface StoredBurst {
  readonly key: string;
  /** When the run starts if no other one joins, milliseconds since the epoch. */
  readonly startsAt: number;
  /** When it starts at the latest. */
  readonly endsAt: number;
}

/** Another run of a burst takes the place of the one that waits. */
export interface Replacement {
  /** Of the run that waits: it keeps its id. */
  readonly id: string;
  /** The run that joins, already masked. */
  readonly run: NewRun;
  readonly claim: Claim | undefined;
  readonly startsAt: number;
}

export type StoredReplacement =
  | { readonly kind: 'replaced' }
  /** The run was never stored, has been started, or has ended: nothing was stored. */
  | { readonly kind: 'not_waiting' }
  | Extract<Submission, { kind: 'repeated' | 'duplicate' | 'unavailable' }>;

/** What an attempt needs to be executed. */
export interface StartedAttempt {
  /** As it is stored: with the masks of the record policy. */
  readonly input: TriggerInput;
  readonly origin: RunOrigin | undefined;
  /** What the session remembers, as JSON. */
  readonly memory: string | undefined;
  /** The checkpoint of an interrupted attempt, as JSON. */
  readonly checkpoint: string | undefined;
}

export interface Start {
  readonly id: string;
  readonly attempt: number;
  readonly startedAt: number;
}

/** How a run became final. */
export interface End {
  readonly id: string;
  readonly state: 'succeeded' | 'failed' | 'cancelled' | 'input_required';
  readonly finishedAt: number;
  readonly output: JsonValue | undefined;
  readonly failure: RunFailure | undefined;
  /** What the agent said of the failure. */
  readonly failureDetail: string | undefined;
  /** What the session remembers from now on, as JSON; undefined: what it did before. */
  readonly memory: string | undefined;
  /** Of all attempts together. */
  readonly usage: RunUsage | undefined;
  readonly cost: RunCost | undefined;
}

/** An attempt that failed and is followed by another one. */
export interface Retry {
  readonly id: string;
  readonly failed: FailedAttempt;
  readonly retryAt: number;
  readonly memory: string | undefined;
  /** Of all attempts so far together. */
  readonly usage: RunUsage | undefined;
  readonly cost: RunCost | undefined;
}

/** A final run whose notification has not been delivered. */
export interface PendingNotification {
  readonly id: string;
  /** Attempts made so far. */
  readonly attempts: number;
  /** When the next one is due. */
  readonly dueAt: number;
}

export type StoredSubmission =
  | { readonly kind: 'accepted'; readonly memory: string | undefined; readonly shadowed: readonly string[] }
  | Exclude<Submission, { kind: 'accepted' | 'busy' }>;

/**
 * Where an engine keeps runs, claims, sessions and notifications. Each call is one atomic step, as durable as the store is
 * once it settles, and steps take effect in the order of the calls. A call that rejects has changed nothing.
 */
export interface Store {
  /** Stores the run, already masked, its claim, its `once` and what it takes of limits; as running its first attempt if `startedAt` is given. */
  submit(
    run: NewRun,
    claim: Claim | undefined,
    limits: readonly LimitCharge[],
    startedAt: number | undefined,
    burst?: StoredBurst,
  ): MaybePromise<StoredSubmission>;
  /**
   * Replaces the input and the claim of a run that waits for the end of its burst, and all else that comes with a request. The
   * claim that it held is released.
   */
  replace(replacement: Replacement): MaybePromise<StoredReplacement>;
  /** As that of the engine. */
  holder(claim: Once): MaybePromise<string | undefined>;
  start(start: Start): MaybePromise<StartedAttempt>;
  /**
   * Makes the run final, settles its claim and its reservations, and drops what its policy does not keep. May be delayed to share a commit with
   * other steps, until `hurry` is called.
   */
  end(end: End): MaybePromise<void>;
  /** Somebody waits for a delayed step. */
  hurry(): void;
  /** Queues the run again, drops its checkpoint, and sets its interruptions back to 0: its process has survived an attempt. */
  retry(retry: Retry): MaybePromise<void>;
  /** Stores the checkpoint that a resumed attempt starts with, as JSON. */
  save(id: string, checkpoint: string): MaybePromise<void>;
  /** Stores what the session of a run remembers, as JSON. */
  remember(id: string, memory: string): MaybePromise<void>;
  /** As those of the engine. */
  limitCounters(limit: string, most: number): MaybePromise<readonly LimitCounter[]>;
  resetLimit(limit: string, value: string | undefined): MaybePromise<number>;
  get(id: string): MaybePromise<RunRecord | undefined>;
  /** As that of the engine. */
  progress(id: string): MaybePromise<RunProgress | undefined>;
  list(query: RunQuery): MaybePromise<readonly RunRecord[]>;
  /**
   * Takes up what an earlier process left: runs that it was executing are queued again, keep their checkpoint, and have the
   * interruption among their failed attempts. Unless that process had noted that it stops, the interruption is counted.
   * Returns the runs that are not final, in the order of their acceptance. One step: killed within it, nothing was counted.
   */
  resume(): MaybePromise<readonly PendingRun[]>;
  /** Notes that this process stops on purpose: what it is executing when it ends was not interrupted by its death. */
  stopping(): MaybePromise<void>;
  /** Sets the interruptions of a run back to 0. */
  trust(id: string): MaybePromise<void>;
  pendingNotifications(): MaybePromise<readonly PendingNotification[]>;
  /** A final run as its notification reports it: with its output, whatever the policy keeps. */
  ended(id: string): MaybePromise<RunRecord | undefined>;
  notifyLater(notification: PendingNotification): MaybePromise<void>;
  notified(id: string): MaybePromise<void>;
  /** Why nothing can be stored now; undefined if it can. Never rejects. */
  health(): MaybePromise<string | undefined>;
  /** As `Engine.broken`. */
  readonly broken: Promise<EngineBroken>;
  /** Frees all resources. Runs that are not final stay as they are, for the next start. */
  close(): MaybePromise<void>;
}
