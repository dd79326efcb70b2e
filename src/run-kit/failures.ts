import {
  type FailedRunResult,
  type JsonValue,
  OutboundError,
  type OutboundResponse,
  retryAfterMs,
} from '../contract/index.ts';

/** Returns a failure. The message is shown to callers: no payload, no address, no secret. */
export function failed(message: string, retryable = false): FailedRunResult {
  return { kind: 'failed', message, retryable };
}

/** Returned by an attempt that ends early; the host knows why and reports that instead. */
export const aborted: FailedRunResult = Object.freeze(failed('the run was aborted'));

/** A failure of the agent, thrown from anywhere inside an attempt. The message is shown to callers. */
export class AgentFault extends Error {
  override readonly name = 'AgentFault';
  readonly failure: FailedRunResult;

  constructor(failure: FailedRunResult) {
    super(failure.message);
    this.failure = failure;
  }
}

/**
 * Returns the failure that an error of an exchange means: that of an AgentFault or an OutboundError, also one that a
 * library has wrapped. Throws any other error, which is a bug.
 */
export function failureOf(error: unknown): FailedRunResult {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if (cause instanceof AgentFault) return cause.failure;
  }
  const outbound = OutboundError.from(error);
  if (outbound === undefined) throw error;
  return failed(outbound.message, outbound.retryable);
}

/** Returns the failure with what the agent itself said of it, for operators; any JSON, as text if it is one. */
export function withDetail(failure: FailedRunResult, said: JsonValue | undefined): FailedRunResult {
  if (said === undefined || said === null || said === '') return failure;
  return { ...failure, detail: typeof said === 'string' ? said : JSON.stringify(said) };
}

/** Statuses that mean "not now" rather than "no" (RFC 9110 §15, RFC 8470 §5.2, RFC 6585 §4). */
const transient: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Returns whether the same request may succeed later, by the status of its response. */
export function isTransient(status: number): boolean {
  return transient.has(status);
}

/**
 * Returns the failure that an unsuccessful status means, with the pause that `Retry-After` asks for.
 * @param detail what the agent calls the error, or what its status means there; no payload
 */
export function failureOfStatus(
  { status, headers }: Pick<OutboundResponse, 'status' | 'headers'>,
  detail?: string,
): FailedRunResult {
  const pauseMs = retryAfterMs(headers['retry-after']);
  const redirect = status >= 300 && status < 400 ? ': redirects are not followed' : '';
  const named = detail === undefined ? '' : ` (${detail})`;
  const failure = failed(`agent answered ${status}${named}${redirect}`, isTransient(status));
  return { ...failure, ...(pauseMs !== undefined && { retryAfterMs: pauseMs }) };
}
