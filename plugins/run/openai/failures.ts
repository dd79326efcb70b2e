import type { FailedRunResult, JsonValue } from '../../../src/contract/index.ts';
import {
  type AgentResponse,
  failed,
  failureOfStatus,
  isTransient,
  parseAgentJson,
  withDetail,
} from '../../../src/run-kit/index.ts';
import { memberOf, textAt } from './member.ts';

/** An error of the endpoint in place of an answer, or of the rest of one. */
export interface Refusal {
  readonly kind: 'refused';
  readonly failure: FailedRunResult;
  /** Undefined if the error came with a status of success. */
  readonly status?: number;
  /** The endpoint's code of the error, fit for callers. */
  readonly code: string | undefined;
  /** The member of the request that is at fault. */
  readonly param: string;
  /** The endpoint's own message. It may repeat what was sent, so it must not be shown. */
  readonly detail: string;
}

/** Codes that make a transient status permanent. */
const permanent = new Set(['insufficient_quota', 'billing_hard_limit_reached']);

/** Codes that are transient although they come without a status. */
const transient = new Set([
  ...['server_error', 'internal_error', 'internal_server_error', 'api_error', 'overloaded_error'],
  ...['rate_limit_exceeded', 'rate_limit_error', 'vector_store_timeout', 'timeout'],
]);

/** The refusal that a status other than success means. */
export async function refusalIn(response: AgentResponse): Promise<Refusal | undefined> {
  if (response.ok) return undefined;
  const { status, headers } = response;
  // The status alone decides if the body is cut off, or is not JSON.
  const text = await response.text().catch(() => '');
  const json = parseAgentJson(text);
  const error = json.ok ? memberOf(json.value, 'error') : undefined;
  const hint = headers['x-should-retry'];
  const retryable = hint === 'true' || (hint !== 'false' && isRetryable(status, codeOf(error)));
  const failure = withDetail({ ...failureOfStatus(response, codeOf(error)), retryable }, text);
  return { ...refusalWith(failure, error), status };
}

/** The refusal in an error object that was sent with a status of success. */
export function refusalOf(error: JsonValue | undefined): Refusal {
  return refusalWith(failureOfError(error), error);
}

/** The failure in an error object that was sent with a status of success. */
export function failureOfError(error: JsonValue | undefined): FailedRunResult {
  const code = codeOf(error);
  const status = Number(memberOf(error, 'code'));
  const retryable = status >= 100 ? isRetryable(status, code) : code === undefined || transient.has(code);
  return withDetail(failed(code === undefined ? 'agent failed' : `agent failed (${code})`, retryable), error);
}

function refusalWith(failure: FailedRunResult, error: JsonValue | undefined): Refusal {
  const [param, detail] = [textAt(error, 'param'), textAt(error, 'message')];
  return { kind: 'refused', failure, code: codeOf(error), param, detail };
}

function isRetryable(status: number, code: string | undefined): boolean {
  if (code !== undefined && permanent.has(code)) return false;
  // 409: the endpoint could not get a lock in time. OpenAI asks clients to repeat such a request.
  return isTransient(status) || status === 409;
}

/** The name of an error. Anything longer, or with other characters, may repeat what was sent. */
function codeOf(error: JsonValue | undefined): string | undefined {
  const names = [textAt(error, 'code'), textAt(error, 'type')];
  return names.find((name) => name !== 'error' && /^[a-z][a-z0-9_.-]{0,63}$/i.test(name));
}
