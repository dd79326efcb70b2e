// Generated from schemas/source/run.schema.json by schemas/generate.ts. Do not edit.

/**
 * The output of `pullcord runs show`, and of `GET /runs/ID` on the admin listener: everything that is kept about a run. An item of `GET /runs` has the same members, except `input`, `origin`, `output`, `failedAttemptDetails`, `errorDetail`, `hasCheckpoint` and `callback`. Members may be added; none is removed or gets another meaning.
 */
export interface RunDocument {
  /**
   * The id of the run.
   */
  runId: string;
  /**
   * The id of its project.
   */
  project: string;
  /**
   * The key of its trigger, as the YAML has it.
   */
  trigger: string;
  /**
   * The id of the caller that fired it.
   */
  caller: string;
  /**
   * Which of the secrets of the caller was used: its note or place. Never a secret.
   */
  secret?: string;
  /**
   * The id of the request that fired it. A replay has none.
   */
  requestId?: string;
  /**
   * The trace that it belongs to (W3C Trace Context).
   */
  traceId?: string;
  /**
   * Where it is.
   */
  state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'input_required';
  /**
   * How many attempts were started.
   */
  attempt: number;
  /**
   * When it was accepted, in UTC.
   */
  acceptedAt: string;
  /**
   * It starts at this time at the earliest, in UTC. Absent once it has started.
   */
  startsAt?: string;
  /**
   * When the latest attempt was started, in UTC.
   */
  startedAt?: string;
  /**
   * When it became final, in UTC.
   */
  finishedAt?: string;
  /**
   * When the next attempt starts after one that failed, in UTC.
   */
  retryAt?: string;
  /**
   * The attempts that failed and were or will be retried, the oldest first.
   */
  failedAttempts?: FailedAttemptDocument[];
  /**
   * What the agent said of attempts that failed.
   */
  failedAttemptDetails?: FailedAttemptDetailDocument[];
  /**
   * Its input, masked. Absent where it was not kept.
   */
  input?: {
    [k: string]: unknown;
  };
  /**
   * What expressions read of the request that fired it. `isEdited`: an operator has changed the input of this replay.
   */
  origin?: {
    [k: string]: unknown;
  };
  /**
   * What the agent answered. Absent where it was not kept.
   */
  output?:
    | {
        [k: string]: unknown;
      }
    | unknown[]
    | string
    | number
    | boolean
    | null;
  /**
   * The usage of all attempts together, if the agent reports it.
   */
  usage?: {
    /**
     * Tokens read.
     */
    inputTokens: number;
    /**
     * Tokens written.
     */
    outputTokens: number;
    /**
     * The model.
     */
    model?: string;
    /**
     * Those read from a cache.
     */
    cachedTokens?: number;
    /**
     * Those of reasoning.
     */
    reasoningTokens?: number;
  };
  /**
   * What all attempts together have cost.
   */
  cost?: {
    /**
     * How much.
     */
    amount: number;
    /**
     * The currency (ISO 4217).
     */
    currency: string;
  };
  /**
   * Why it failed.
   */
  error?: {
    /**
     * What happened, fit for callers.
     */
    message: string;
    /**
     * Whether another attempt might succeed.
     */
    retryable: boolean;
  };
  /**
   * What the agent said of the failure.
   */
  errorDetail?: string;
  /**
   * The revision of the config that accepted it.
   */
  revision: string;
  /**
   * How many attempts in a row have ended because their process died. Absent: none.
   */
  interruptions?: number;
  /**
   * Its session, as the caller named it.
   */
  sessionId?: string;
  /**
   * The run, or the recorded request, whose input it repeats.
   */
  replayOf?: string;
  /**
   * The run that is its only replay: a bulk replay skips it.
   */
  replayedAs?: string;
  /**
   * Whether it is the only replay of another run. Absent: no.
   */
  isOnlyReplay?: boolean;
  /**
   * Whether its attempt has saved where it is: the work continues in the agent, and survives a restart. Absent: no.
   */
  hasCheckpoint?: boolean;
  /**
   * How far its callback is. Absent: its trigger had none.
   */
  callback?: {
    /**
     * `awaiting_end`: the run is not final. `due`: it is sent, or sent again, at `nextAt`. `settled`: delivered or given up; the log says which.
     */
    state: 'awaiting_end' | 'due' | 'settled';
    /**
     * Attempts so far.
     */
    attempts?: number;
    /**
     * When the next attempt is due, in UTC.
     */
    nextAt?: string;
  };
}
/**
 * An attempt that failed.
 */
export interface FailedAttemptDocument {
  /**
   * 1 for the first.
   */
  attempt: number;
  /**
   * When it was started, in UTC.
   */
  startedAt: string;
  /**
   * When it ended, in UTC.
   */
  endedAt: string;
  /**
   * What happened, fit for callers.
   */
  message: string;
}
/**
 * What the agent said of one of them.
 */
export interface FailedAttemptDetailDocument {
  /**
   * 1 for the first.
   */
  attempt: number;
  /**
   * The text of the agent.
   */
  detail: string;
}
