// Generated from schemas/source/recorded-request.schema.json by schemas/generate.ts. Do not edit.
import type { JsonObject } from '../../contract/index.ts';

/**
 * A line of what `pullcord requests export` prints, and what `pullcord requests show` prints: a request that the gateway recorded. Members may be added; none is taken away or gets another meaning.
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
   * The key of the trigger, as its file has it.
   */
  trigger: string;
  /**
   * Id of the caller: of its API key, or as another auth plugin calls it.
   */
  caller: string;
  /**
   * What became of it. `unavailable`: the engine could not take it.
   */
  verdict: 'accepted' | 'dropped' | 'duplicate' | 'unavailable';
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
   * Id of its run, or of the run that it would have repeated; absent if it was neither accepted nor a duplicate.
   */
  runId?: string;
  /**
   * Content hash of the config that decided.
   */
  revision: string;
  /**
   * What of the config decided: `file:line`.
   */
  provenance: string;
  /**
   * The address of the caller.
   */
  ip: string;
  /**
   * The headers that a filter or dedup plugin of the trigger reads, by their names in lower case. None that carries a credential.
   */
  headers: {
    [k: string]: string;
  };
  /**
   * JSON pointers into the body at which something was masked before it was stored.
   */
  masked: string[];
  /**
   * The body, but for what is masked; absent if there was none. Numbers are written as the caller wrote them.
   */
  body?: JsonObject;
}
