import { type FailedRunResult, type OutboundResponse, retryAfterMs } from '../../../src/contract/index.ts';
import { answeredStatus, isPassing } from '../answered-status.ts';
import { failed } from '../failed.ts';

/** The failure that a status other than success means; undefined for those. Lets go of the body. */
export async function refusalOf(response: OutboundResponse): Promise<FailedRunResult | undefined> {
  const { status, headers } = response;
  if (status >= 200 && status <= 299) return undefined;
  await response.discard();
  const retryable = isPassing(status);
  const askedMs = retryable ? retryAfterMs(headers['retry-after']) : undefined;
  return { ...failed(answeredStatus(status), retryable), ...(askedMs !== undefined && { retryAfterMs: askedMs }) };
}
