// Generated from schemas/source/history.schema.json by schemas/generate.ts. Do not edit.

/**
 * The answer of `GET /history` on the admin listener: what one gateway process has seen over time, kept in memory. Members may be added; none is removed or gets another meaning.
 */
export interface HistoryDocument {
  /**
   * The node that answers: it knows of itself only.
   */
  node: string;
  /**
   * When it started, in UTC.
   */
  since: string;
  /**
   * How long a step is, in milliseconds.
   */
  stepMs: number;
  /**
   * The steps up to now, the earliest first.
   */
  steps: HistoryStepDocument[];
  /**
   * Attempts to load the config, the latest last, at most 100.
   */
  reloads: HistoryReload[];
}
/**
 * A step.
 */
export interface HistoryStepDocument {
  /**
   * When it began, in UTC.
   */
  at: string;
  requests: HistoryRequests;
  runs: HistoryRuns;
  /**
   * At most how long half of the attempts took, in milliseconds, as a bound. Null: there were none.
   */
  p50Ms: number | null;
  /**
   * As `p50Ms`, 95 of 100.
   */
  p95Ms: number | null;
  /**
   * Tokens of input.
   */
  inputTokens: number;
  /**
   * Tokens of output.
   */
  outputTokens: number;
  /**
   * What attempts cost, by currency.
   */
  cost: HistoryCost[];
  /**
   * How many runs waited at its end.
   */
  queued: number;
  /**
   * How many runs this process executed at its end.
   */
  running: number;
}
/**
 * Requests that fire triggers, by what became of them.
 */
export interface HistoryRequests {
  /**
   * How many were accepted.
   */
  accepted: number;
  /**
   * How many a filter dropped.
   */
  dropped: number;
  /**
   * How many had been sent before.
   */
  duplicate: number;
  /**
   * How many a limit refused.
   */
  limited: number;
  /**
   * How many were refused otherwise, with 4xx.
   */
  refused: number;
  /**
   * How many could not be answered, with 5xx.
   */
  failed: number;
}
/**
 * Runs that ended, by state.
 */
export interface HistoryRuns {
  /**
   * How many succeeded.
   */
  succeeded: number;
  /**
   * How many ended with a question of the agent.
   */
  input_required: number;
  /**
   * How many failed.
   */
  failed: number;
  /**
   * How many were cancelled.
   */
  cancelled: number;
}
/**
 * An amount.
 */
export interface HistoryCost {
  /**
   * ISO 4217.
   */
  currency: string;
  /**
   * Decimal number.
   */
  amount: number;
}
/**
 * An attempt to load the config.
 */
export interface HistoryReload {
  /**
   * When it ended, in UTC.
   */
  at: string;
  /**
   * How it ended.
   */
  outcome: 'accepted' | 'reverted' | 'rejected' | 'abandoned';
  /**
   * The revision that it was about.
   */
  revision: string;
  /**
   * The commit of which it is. Null: there is none.
   */
  gitCommit: string | null;
  /**
   * Who made the commit, as git knows it; absent where it does not.
   */
  author?: string;
  /**
   * The first line of its message; absent where git does not know it.
   */
  subject?: string;
}
