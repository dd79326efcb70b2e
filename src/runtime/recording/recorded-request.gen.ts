// Generated from schemas/source/recorded-request.schema.json by schemas/generate.ts. Do not edit.
import type { JsonObject } from '../../contract/index.ts';

/**
 * A line of the output of `pullcord requests export`, and the output of `pullcord requests show`: a request that the gateway recorded. Members may be added; none is removed or gets another meaning.
 */
export interface RecordedRequestDocument {
  /**
   * Its id, a UUIDv7 (RFC 9562).
   */
  id: string;
  /**
   * When it arrived, in UTC.
   */
  receivedAt: string;
  /**
   * Id of the project.
   */
  project: string;
  /**
   * The key of the trigger, as spelled in its file.
   */
  trigger: string;
  /**
   * Id of the caller: that of its API key, or the one that another auth plugin established.
   */
  caller: string;
  /**
   * The `X-Request-Id` of the answer; absent if an earlier version of Pullcord recorded the request.
   */
  requestId?: string;
  /**
   * Its verdict. `unavailable`: the engine could not store it.
   */
  verdict: 'accepted' | 'dropped' | 'duplicate' | 'limited' | 'unavailable';
  /**
   * The HTTP status that the caller got.
   */
  status: number;
  /**
   * The code of the problem that the caller got; absent where there was none.
   */
  code?: string;
  /**
   * Name of the filter that dropped it; absent where none did.
   */
  by?: string;
  /**
   * Id of its run, or of the run that it repeated; absent if it was neither accepted nor a duplicate.
   */
  runId?: string;
  /**
   * What its run took, all attempts together. Absent if it was not accepted, while its run has not ended, and once its run is no longer kept.
   */
  run?: {
    /**
     * How it ended.
     */
    status: 'succeeded' | 'input_required' | 'failed' | 'cancelled';
    /**
     * Milliseconds from the start of its first attempt until it ended.
     */
    durationMs: number;
    /**
     * Milliseconds from its acceptance until its first attempt started.
     */
    waitedMs: number;
    /**
     * Tokens of input; absent if its agent reports none.
     */
    inputTokens?: number;
    /**
     * Tokens of output; absent if its agent reports none.
     */
    outputTokens?: number;
    /**
     * What it cost by the prices of its time; absent without prices.
     */
    cost?: {
      /**
       * Decimal number.
       */
      amount: number;
      /**
       * ISO 4217.
       */
      currency: string;
    };
  };
  /**
   * Content hash of the config that decided.
   */
  revision: string;
  /**
   * The place in the config that decided: `file:line`.
   */
  provenance: string;
  /**
   * Whether it was chosen at random, whatever became of it. False: it is recorded for its outcome alone, and says nothing about shares.
   */
  sampled: boolean;
  /**
   * The share of all requests of its trigger that was sampled then. Absent if an earlier version recorded the request.
   */
  rate?: number;
  /**
   * Why, where `verdict` and `by` do not say it: what could not be evaluated, or what had no room.
   */
  reason?: string;
  /**
   * The commit of which the config is, byte for byte; absent if it is of none.
   */
  gitCommit?: string;
  /**
   * Whether the config differed from what is committed; absent if git could not say.
   */
  dirty?: boolean;
  /**
   * Why it has no body: `not_read`, since it was refused before; `not_kept`, since `record` of its trigger keeps nothing of what callers send. Absent otherwise.
   */
  omitted?: 'not_read' | 'not_kept';
  /**
   * The limits that refused it or, in shadow mode, would have. Absent if there were none.
   */
  limits?: RecordedLimitDocument[];
  /**
   * The address of the caller.
   */
  ip: string;
  /**
   * The headers that a filter or dedup plugin of the trigger reads, and `content-type` where bodies need not be JSON, by their names in lower case. None of them carries a credential.
   */
  headers: {
    [k: string]: string;
  };
  /**
   * The parameters of its query, a list for one that is repeated, without those that carry or are named like a credential. Absent if an earlier version recorded the request.
   */
  query?: {
    [k: string]: string | string[];
  };
  /**
   * The event that a webhook reports; without members for other callers. `***` is in place of a value that was masked in the body. Absent if an earlier version recorded the request.
   */
  event?: {
    /**
     * Its type.
     */
    name?: string;
    /**
     * Its id.
     */
    id?: string;
    /**
     * When it happened, as sent.
     */
    time?: string;
  };
  /**
   * The claims of the caller's token that expressions of the trigger may read. Absent if an earlier version recorded the request.
   */
  claims?: JsonObject;
  /**
   * JSON pointers to the values of the body that were masked before it was stored.
   */
  masked: string[];
  /**
   * The body with its masked values replaced; absent if there was none. Numbers are as the caller wrote them.
   */
  body?: JsonObject | unknown[];
  /**
   * The body, with its masked values replaced, if it is a form or text: see `content-type` of the headers.
   */
  text?: string;
}
/**
 * A limit that had no room.
 */
export interface RecordedLimitDocument {
  /**
   * Its id, as `pullcord limits` has it.
   */
  id: string;
  /**
   * Its name, as answers have it.
   */
  name: string;
  /**
   * Where it is declared.
   */
  level: 'gateway' | 'project' | 'trigger' | 'key';
  /**
   * `shadow`: it refuses nothing.
   */
  mode: 'enforce' | 'shadow';
  /**
   * What it counts apart. Absent: everything together.
   */
  per?: string;
  /**
   * Which value of `per` had no room. Absent without `per`, and for an expression where values are masked.
   */
  value?: string;
  /**
   * Where it is declared: `file:line`.
   */
  provenance: string;
}
