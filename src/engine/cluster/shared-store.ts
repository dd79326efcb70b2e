import type { RunFailure, RunState, RunUsage } from '../../contract/index.ts';
import type { StoredSubmission } from '../execution/store.ts';
import type {
  Claim,
  EngineBroken,
  FailedAttempt,
  Life,
  LimitCharge,
  LimitCounter,
  NewRun,
  NodeInfo,
  NodeRecord,
  Once,
  RunCost,
  RunPolicy,
  RunProgress,
  RunQuery,
  RunRecord,
  Submission,
} from '../types/index.ts';

export type Beat =
  /** The node has been buried: all that it executed is others' now. */
  | { readonly kind: 'buried' }
  | {
      readonly kind: 'alive';
      readonly nodes: readonly NodeRecord[];
      /** Of all nodes; counted up to a bound. */
      readonly queued: number;
      /** Runs that the store has as executed by this life. What the node executes beside them is no longer its own. */
      readonly owned: readonly string[];
      /** Whether runs of dead nodes were queued again. */
      readonly hasBuried: boolean;
      /** Runs of dead nodes that have failed. */
      readonly ended: readonly string[];
    };

/** The runs of one trigger. */
export interface LaneRule {
  readonly project: string;
  readonly trigger: string;
  /** Whether this node can execute its runs. */
  readonly isServed: boolean;
  /** Undefined: as many as nodes execute. */
  readonly limit: number | undefined;
  readonly isPerValue: boolean;
}

/** Lanes take turns, and in a lane that is limited by value, its values. */
export interface Turn {
  readonly lane: string;
  readonly values: Readonly<Record<string, string>>;
}

/** How many runs a node takes. */
export interface Want {
  /** The revision that the node serves: its rules say which lanes it can execute. */
  readonly revision: string;
  /** At most this many. */
  readonly runs: number;
  /** Whether one may be taken that was interrupted by several deaths: in all nodes, one of those runs at a time. */
  readonly suspect: boolean;
  /** Where turns begin: after the lane, and in it after the value, of which this node has taken a run last. */
  readonly turn: Turn;
  /** Lanes of which at most this number may be taken, whatever their limit: 0 while a circuit is open, 1 to probe. By `laneOf`. */
  readonly caps: ReadonlyMap<string, number>;
  /** Whether runs are taken whose trigger no node serves: they fail. */
  readonly unserved: boolean;
}

/** A run that a node takes: running by now, owned by the life that asked. */
export interface TakenRun {
  /** With its input as it is stored (masked), its attempt and `startedAt`. */
  readonly record: RunRecord;
  readonly policy: RunPolicy;
  readonly isMasked: boolean;
  /** What the session remembers, as JSON. */
  readonly memory: string | undefined;
  /** Of an interrupted attempt, as JSON. */
  readonly checkpoint: string | undefined;
}

export interface Taking {
  readonly runs: readonly TakenRun[];
  /** Lanes that have a run ready, and of which this revision has no rule: `serve` them and take again. */
  readonly unknown: readonly { readonly project: string; readonly trigger: string }[];
  /** In how many milliseconds the next run that waits for its time may start; undefined: none does. */
  readonly nextInMs: number | undefined;
  /** Where the next taking begins. */
  readonly turn: Turn;
  /** Whether more could have been started, had more been wanted: notify other nodes. */
  readonly hasMore: boolean;
}

/** A submission as the store takes it. The run is masked already. */
export interface SubmitOperation {
  readonly run: NewRun;
  /** Whether its input lost anything to masks: then only this node can execute it. */
  readonly isMasked: boolean;
  /** The value of `per` of its concurrency, also where the record must not have it because it is masked. */
  readonly value: string | undefined;
  readonly claim: Claim | undefined;
  readonly limits: readonly LimitCharge[];
}

export type SubmitAnswer =
  | Exclude<StoredSubmission, { kind: 'accepted' }>
  | Extract<Submission, { kind: 'busy' }>
  | {
      readonly kind: 'accepted';
      readonly shadowed: readonly string[];
      /** Set with `debounce`: the run that waits, which may be an earlier one, and when it starts unless another one joins. */
      readonly burst?: { readonly runId: string; readonly startsAt: number } | undefined;
      /** Runs of its session that it has replaced: they are cancelled, each at the node that executed it. */
      readonly replaced: readonly Cancelled[];
    };

/** A run that has been cancelled, and the life that executed it, if any did. */
export interface Cancelled {
  readonly runId: string;
  readonly owner: Life | undefined;
}

/** The end of an attempt. Only the attempt that the store has as running ends its run (fence). */
export interface AttemptEnd {
  readonly runId: string;
  readonly attempt: number;
  readonly state: Exclude<RunState, 'queued' | 'running'>;
  /** As JSON. */
  readonly output: string | undefined;
  readonly failure: RunFailure | undefined;
  readonly failureDetail: string | undefined;
  /** What the session remembers from now on, as JSON; undefined: what it did before. */
  readonly memory: string | undefined;
  /** Of all attempts together. */
  readonly usage: RunUsage | undefined;
  readonly cost: RunCost | undefined;
}

/** An attempt that failed and is followed by another one. */
export interface AttemptRetry {
  readonly runId: string;
  readonly attempt: number;
  readonly failed: Omit<FailedAttempt, 'endedAt'>;
  readonly delayMs: number;
  readonly memory: string | undefined;
  readonly usage: RunUsage | undefined;
  readonly cost: RunCost | undefined;
}

/** What an attempt writes before its end. */
export type AttemptWrite =
  | { readonly kind: 'save'; readonly runId: string; readonly attempt: number; readonly checkpoint: string }
  | { readonly kind: 'remember'; readonly runId: string; readonly attempt: number; readonly memory: string }
  /** Its interruptions are set back to 0. */
  | { readonly kind: 'trust'; readonly runId: string; readonly attempt: number };

export type AttemptOperation =
  | { readonly kind: 'end'; readonly end: AttemptEnd }
  | { readonly kind: 'retry'; readonly retry: AttemptRetry }
  | AttemptWrite;

/** `lost`: the attempt is no longer the node's, and nothing was stored. */
export type AttemptAnswer =
  | { readonly kind: 'lost' }
  | {
      readonly kind: 'stored';
      /** When, by the clock of the store. */
      readonly at: number;
      /** Whether a run became ready by it: the next of its session. */
      readonly hasFreed: boolean;
    };

export type CancelAnswer =
  | { readonly kind: 'cancelled'; readonly owner: Life | undefined }
  | { readonly kind: 'already_final'; readonly state: RunState }
  | { readonly kind: 'not_found' };

/** A final run whose callback this node sends, until the lease of the notification ends. */
export interface TakenNotification {
  readonly run: RunRecord;
  /** Attempts made so far. */
  readonly attempts: number;
}

/** What a store asks of a node, and reports to it. */
export interface Peer {
  /**
   * What may be taken in the step that stores that number of submissions; undefined: nothing. Its places are reserved until `taken` is
   * called with the same object, once, also when the step has failed.
   */
  want(submissions: number): Want | undefined;
  /** What was taken with submissions; undefined if the step has failed. Called before they are answered. */
  taken(want: Want, taking: Taking | undefined): void;
  hint(hint: Hint): void;
}

/** Hints between nodes. They may be lost, doubled and late: what they announce is also found by polling. */
export type Hint =
  /** A run may be ready that its submitter could not start itself. */
  | { readonly kind: 'ready' }
  /** These runs are final. */
  | { readonly kind: 'done'; readonly runIds: readonly string[] }
  /** For one node. */
  | { readonly kind: 'message'; readonly text: string }
  /** Hints were lost: what they may have said has to be looked up. */
  | { readonly kind: 'missed' };

/**
 * Where the engines of several gateways keep runs, claims, sessions, limits and notifications. Each call is one atomic step,
 * durable once it settles; calls made in the same turn of the event loop may share a commit. A call that rejects with
 * `EngineUnavailable` may have changed something only where that does no harm when it is called again with the same ids. Times
 * are by the clock of the store.
 */
export interface SharedStore {
  /** Begins a life. */
  register(info: NodeInfo, leaseMs: number): Promise<Life>;
  /**
   * Renews the lease, and buries nodes whose lease has ended: what they executed is queued again, with an attempt that failed.
   * Those with masked inputs fail.
   */
  beat(life: Life, info: NodeInfo, leaseMs: number): Promise<Beat>;
  /**
   * Ends a life on purpose: what it still executes is queued again at once, and counts as no interruption. Returns runs that have
   * failed, since only this life had their whole inputs.
   */
  leave(life: Life): Promise<readonly string[]>;
  /** Returns runs that the life owns and does not execute: they are queued again, which counts as no interruption. */
  release(life: Life, runIds: readonly string[]): Promise<void>;
  nodes(): Promise<readonly NodeRecord[]>;
  /** What a revision says of lanes. The rules of the newest revision apply to all nodes. */
  serve(revision: string, rules: readonly LaneRule[]): Promise<void>;

  /** The run that holds a claim, or that has taken a `once`. */
  holder(claim: Once): Promise<string | undefined>;

  /** Stores a run, and takes in the same step what may start now (`Peer.want`). */
  submit(life: Life, operation: SubmitOperation): Promise<SubmitAnswer>;
  /** Starts runs: within the limits of their lanes, one of a session at a time, exactly, whatever other nodes do. */
  take(life: Life, want: Want): Promise<Taking>;
  write(life: Life, operation: AttemptOperation): Promise<AttemptAnswer>;
  cancel(runId: string): Promise<CancelAnswer>;

  get(runId: string): Promise<RunRecord | undefined>;
  /** As that of the engine. */
  progress(runId: string): Promise<RunProgress | undefined>;
  /**
   * Those that are final, or unknown. Calls of one turn share a read. With their whole outcome for a minute, even where their
   * policy does not keep it: their submitter may wait for it at another node. `get` and `list` never return that.
   */
  finals(runIds: readonly string[]): Promise<ReadonlyMap<string, RunRecord | undefined>>;
  /** The life that executes a run, and its attempt; undefined: none does. */
  ownerOf(runId: string): Promise<{ readonly owner: Life; readonly attempt: number } | undefined>;
  list(query: RunQuery): Promise<readonly RunRecord[]>;
  limitCounters(limit: string, most: number): Promise<readonly LimitCounter[]>;
  resetLimit(limit: string, value: string | undefined): Promise<number>;

  /** Takes notifications that are due, for `leaseMs`: unless they are answered by then, any node may take them. */
  takeNotifications(most: number, leaseMs: number): Promise<readonly TakenNotification[]>;
  notifyLater(runId: string, attempts: number, delayMs: number): Promise<void>;
  notified(runId: string): Promise<void>;

  /** Keeps the completion that an agent has posted, as JSON, until its run ends. The first counts. False: the run is final or unknown. */
  deliver(runId: string, completion: string): Promise<boolean>;
  /** Completions of runs that a life executes. */
  delivered(life: Life): Promise<ReadonlyMap<string, string>>;

  /** `peer` is called from now on. A later call replaces an earlier one. */
  attach(life: Life, peer: Peer): void;
  /** Sends a hint, after what was stored before. Never rejects, and is not waited for. */
  hint(hint: Exclude<Hint, { kind: 'message' | 'missed' }>): void;
  /** Sends a message to one node. At most 7,900 bytes. */
  send(life: Life, text: string): void;

  /** Why nothing can be stored now; undefined if it can. Never rejects. */
  health(): Promise<string | undefined>;
  readonly broken: Promise<EngineBroken>;
  close(): Promise<void>;
}
