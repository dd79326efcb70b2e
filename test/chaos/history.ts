/** What was seen from outside while nodes were disturbed. Times by `performance.now()` of the process that watches. */
export interface History {
  /** In the order in which they began. */
  readonly calls: readonly AgentCall[];
  readonly answers: readonly Acknowledgement[];
  readonly pauses: readonly Pause[];
  /** Acknowledged runs that another node did not know a moment later. */
  readonly unknown: readonly string[];
  /** What each run had become at the end, by its id: of all that were acknowledged or executed. */
  readonly final: ReadonlyMap<string, FinalRun>;
  /** Nodes that ended although nobody ended them, and what they said last. */
  readonly deaths: readonly string[];
  /** Answers that no caller expects: neither a run, nor a limit, nor 503. */
  readonly unexpected: readonly string[];
}

/** A request that the agent received: one attempt of a run. */
export interface AgentCall {
  readonly runId: string;
  readonly attempt: number;
  /** The life of a process. */
  readonly node: string;
  readonly trigger: string;
  /** Names the body among those of its trigger, and of its session: a later one has a higher number. */
  readonly number: number;
  readonly session: string | undefined;
  readonly startedAt: number;
  /** Of its answer, or of its connection. */
  readonly endedAt: number;
  readonly isAnswered: boolean;
}

/** An answer that promised a run to a caller. */
export interface Acknowledgement {
  readonly runId: string;
  readonly trigger: string;
  readonly number: number;
}

/** A time in which a node did not execute a single instruction. */
export interface Pause {
  readonly node: string;
  readonly from: number;
  readonly to: number;
}

/** A run as a caller reads it. `status` is undefined for one that nobody knows. */
export interface FinalRun {
  readonly status: string | undefined;
  readonly attempt: number;
  /** The attempt whose output was stored. */
  readonly outputAttempt: number | undefined;
}

/** What the config of the nodes promises. */
export interface Promises {
  /** How many runs of a trigger may be executed at once. */
  readonly concurrency: ReadonlyMap<string, number>;
  /** How many runs of a trigger may be accepted. */
  readonly runs: ReadonlyMap<string, number>;
  /** A node that is paused for less than this keeps its lease. */
  readonly harmlessPauseMs: number;
}
