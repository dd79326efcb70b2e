import { APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai/error';
import { type FailedRunResult, OutboundError, retryAfterMs } from '../../../src/contract/index.ts';
import { failed } from './answer.ts';
import { memberOf, textAt } from './member.ts';

/** A call that brought no answer. */
export interface Refusal {
  readonly kind: 'refused';
  readonly failure: FailedRunResult;
  /** Undefined: there was no response, or it cannot be read. */
  readonly status?: number | undefined;
  /** What the endpoint calls the error, fit for a caller's eyes. */
  readonly code?: string | undefined;
  /** The member of the request that is at fault, as the endpoint says. */
  readonly param?: string;
  /** Whether the call was given up here. */
  readonly isAborted?: boolean;
  /** The endpoint's own words. They may repeat what it was sent, so that they are for nobody's eyes. */
  readonly detail?: string;
}

/** Errors whose status says "not now" although they do not pass by themselves. */
const lasting = new Set(['insufficient_quota', 'billing_hard_limit_reached']);

/** Errors without a status that say "not now" rather than "not so". */
const passing = new Set([
  ...['server_error', 'internal_error', 'internal_server_error', 'api_error', 'overloaded_error'],
  ...['rate_limit_exceeded', 'rate_limit_error', 'vector_store_timeout', 'timeout'],
]);

/** Says what happened of something that a call of the client threw, or a read of what it gave. */
export function refusalOf(error: unknown): Refusal {
  const outbound = OutboundError.from(error);
  if (outbound !== undefined) return refused(failed(outbound.message, outbound.retryable));
  if (error instanceof APIUserAbortError || (error instanceof Error && error.name === 'AbortError')) {
    return { ...refused(failed('the run was aborted', false)), isAborted: true };
  }
  if (error instanceof APIConnectionTimeoutError) return refused(failed('agent did not answer in time', true));
  if (error instanceof APIError && error.status !== undefined) return refusalByStatus(error.status, error);
  // The client reads a little of what it is sent, and trusts it more than one should.
  return refused(failed('agent answered with something that cannot be read', false));
}

/** Says what an error object comes to that an agent sends in place of an answer, or of its rest. */
export function refusalOfError(error: unknown): Refusal {
  return { ...refused(failureOfError(error)), ...sayingsOf(error) };
}

/** What became of a run whose agent sends an error object in place of an answer, or of its rest. */
export function failureOfError(error: unknown): FailedRunResult {
  const code = codeOf(error);
  const number = Number(memberOf(error, 'code'));
  const retryable = number >= 100 ? isRetryable(number, code) : code === undefined || passing.has(code);
  return failed(`agent failed${inBrackets(code)}`, retryable);
}

export function refused(failure: FailedRunResult): Refusal {
  return { kind: 'refused', failure };
}

function refusalByStatus(status: number, { error, headers }: APIError): Refusal {
  const code = codeOf(error);
  const isRedirect = status >= 300 && status < 400;
  const message = `agent answered ${status}${inBrackets(code)}${isRedirect ? ': redirects are not followed' : ''}`;
  const said = headers?.get('x-should-retry');
  const retryable = said === 'true' || (said !== 'false' && isRetryable(status, code));
  const pauseMs = retryAfterMs(headers?.get('retry-after') ?? undefined);
  const failure = { ...failed(message, retryable), ...(pauseMs !== undefined && { retryAfterMs: pauseMs }) };
  return { ...refused(failure), status, ...sayingsOf(error) };
}

function sayingsOf(error: unknown): Pick<Refusal, 'code' | 'param' | 'detail'> {
  return { code: codeOf(error), param: textAt(error, 'param'), detail: textAt(error, 'message') };
}

function isRetryable(status: number, code: string | undefined): boolean {
  if (code !== undefined && lasting.has(code)) return false;
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
}

/** The name of an error. Anything longer or of other characters may be a text that repeats what was sent. */
function codeOf(error: unknown): string | undefined {
  const names = [textAt(error, 'code'), textAt(error, 'type')];
  return names.find((name) => name !== 'error' && /^[a-z][a-z0-9_.-]{0,63}$/i.test(name));
}

function inBrackets(code: string | undefined): string {
  return code === undefined ? '' : ` (${code})`;
}
