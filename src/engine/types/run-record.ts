import type { JsonValue, RunFailure, RunState, RunUsage, TriggerInput } from '../../contract/index.ts';

/** What is stored of a run. Data only, so that another process, or a later start, can take it up. */
export interface RunRecord {
  /** UUIDv7 (RFC 9562). */
  readonly id: string;
  readonly project: string;
  /** The trigger's key as written in YAML. */
  readonly trigger: string;
  /** The revision of the config that accepted it. */
  readonly revision: string;
  /** Id of the caller that fired it. */
  readonly caller: string;
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
    'id' | 'project' | 'trigger' | 'revision' | 'caller' | 'sessionId' | 'replayOf' | 'acceptedAt'
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
