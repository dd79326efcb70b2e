export interface OutboundOptions {
  /** How many connections to one origin may be open at once; further requests wait for a free one. */
  readonly connections: number;
  /** The largest body of a response that is taken, decoded, in bytes. What is longer ends with an OutboundError. */
  readonly maxResponseBytes: number;
}

/**
 * Calls other services. Connections are reused and redirects are not followed. There is no deadline but the signal of
 * the request: agents may think in silence for long.
 */
export interface OutboundClient {
  /** Sends a request and resolves with the head of its response. Rejects with an OutboundError, or with the reason of its signal. */
  request(url: URL, request: OutboundRequest): Promise<OutboundResponse>;
  /** As the global `fetch`, for libraries that take one. Rejects with a TypeError whose `cause` is an OutboundError. */
  readonly fetch: typeof globalThis.fetch;
  /** Whether calls of a URL are refused for sure, so that a plugin can warn: its host is an address, or this machine. */
  forbids(url: URL): boolean;
}

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
}

export interface OutboundResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Read it to its end, or `discard` it: until then the connection serves nobody else. Rejects with an OutboundError. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body instead. Rejects with an OutboundError. */
  bytes(): Promise<Uint8Array>;
  /** Lets go of a body that nobody wants: a short one is read, to keep the connection, a long one costs it. */
  discard(): Promise<void>;
}

const marker = Symbol.for('pullcord.OutboundError');

/** A call that another service did not answer, or not in a way that can be taken. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly [marker] = true;
  /** What happened, e.g. ECONNREFUSED, ERR_OUTBOUND_FORBIDDEN or ERR_RESPONSE_TOO_LARGE. */
  readonly code: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  /** @param message fit for a caller's eyes: no address, no payload, no secret */
  constructor(code: string, message: string, retryable: boolean) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }

  /** The OutboundError that something thrown is, or was caused by: libraries wrap what their `fetch` throws. */
  static from(error: unknown): OutboundError | undefined {
    for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
      // Recognised by marker, not by class: a third party's plugin may carry its own copy of this module.
      if (marker in cause) return cause as OutboundError;
    }
    return undefined;
  }
}

/** The longest pause that a service can ask for, in milliseconds: a day. */
const longestPauseMs = 24 * 3_600_000;

/**
 * What a `Retry-After` header (RFC 9110 §10.2.3: seconds, or a date) asks for in milliseconds, a day at most; undefined
 * without one that can be understood.
 */
export function retryAfterMs(header: string | readonly string[] | undefined, now = Date.now()): number | undefined {
  if (typeof header !== 'string') return undefined;
  const askedMs = /^[0-9]{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return askedMs >= 0 ? Math.min(askedMs, longestPauseMs) : undefined;
}
