/** JSON, as bodies and outputs are. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/**
 * Returns an API key or a token. It is asked before each request, and once more with `true` when the gateway refuses what it
 * returned: it should remember a token for as long as it is valid.
 */
export type Credential = (refused: boolean) => string | Promise<string>;

export interface ClientOptions {
  /** URL of the gateway with its base path: `https://agents.example.com/api/v1.0`. */
  readonly url: string;
  /** An API key or a token, or what returns one. */
  readonly credential: string | Credential;
  /** How often a request is repeated that the gateway has not accepted. Default: 3. */
  readonly retries?: number;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof fetch;
}

export interface VisitorOptions extends Pick<ClientOptions, 'url' | 'fetch'> {
  /** `project/key`, of a trigger whose auth is `visitor`. */
  readonly trigger: string;
  /** The session that the visitor fires in, and whose runs it reads: as random as a password. */
  readonly sessionId: string;
}

export interface RequestOptions {
  /** The session of a run that is given by its URL alone. */
  readonly sessionId?: string;
  /** Ends the request, and everything that waits for it. The run continues: `cancel` ends it. */
  readonly signal?: AbortSignal;
}

export interface FireOptions extends RequestOptions {
  /**
   * Names the request where the trigger recognizes repetitions by it (`dedup: idempotency-key`): it is then also repeated
   * if the connection broke and nobody knows whether it was accepted. It is repeated with the same key each time.
   */
  readonly idempotencyKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface WaitOptions extends RequestOptions {
  /** How long to wait for the end of the run, in milliseconds; then the run is returned as it stands. Default: no limit. */
  readonly timeoutMs?: number;
}

export type RunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'input_required';

export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** As the provider names it. */
  readonly model?: string;
  /** The part of `inputTokens` that was read from a cache. */
  readonly cachedTokens?: number;
  /** The part of `outputTokens` that the model spent on reasoning. */
  readonly reasoningTokens?: number;
}

/** What a run has cost, under the prices of the gateway's config. */
export interface Cost {
  readonly amount: number;
  /** ISO 4217. */
  readonly currency: string;
}

/** A run as the gateway shows it. */
export interface Run {
  readonly runId: string;
  readonly status: RunStatus;
  /** Where the run is read and cancelled; absolute. */
  readonly statusUrl: string;
  /** Of the request that fired it: with a browser key, only who names it may read the run. */
  readonly sessionId?: string;
  readonly output?: Json;
  readonly usage?: Usage;
  readonly cost?: Cost;
  /** Why it failed. */
  readonly error?: { readonly message: string; readonly retryable: boolean };
}

/** What happens to a run, in order. The last event is `done` or `error`. */
export type RunEvent =
  | { readonly type: 'accepted'; readonly run: Run }
  /**
   * A piece of the output. `offset` is where it begins, in UTF-16 units; it begins again at 0 if another attempt is made,
   * and what an earlier one sent is void.
   */
  | { readonly type: 'delta'; readonly attempt: number; readonly offset: number; readonly text: string }
  /** The whole output. */
  | { readonly type: 'message'; readonly run: Run }
  | { readonly type: 'done'; readonly run: Run }
  /** The run failed or was cancelled, or continues without being streamed (`wait_timeout`). */
  | { readonly type: 'error'; readonly problem: Problem };

/** Problem details (RFC 9457) of the gateway. */
export interface Problem {
  readonly status: number;
  /** Such as `filtered`, `duplicate`, `unauthorized`, `rate_limited`, `unavailable`, `run_failed`. */
  readonly code: string;
  readonly title?: string;
  readonly detail?: string;
  readonly requestId?: string;
  /** The run that the problem is about, where it is about one. */
  readonly runId?: string;
  readonly statusUrl?: string;
  /** The filter that dropped the request. */
  readonly filter?: string;
}
