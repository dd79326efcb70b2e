import { type FailedRunResult, type OutboundResponse, retryAfterMs } from '../../../src/contract/index.ts';

/** Statuses that say "not now" rather than "not so". */
const retryableStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The failure that a status other than success means; undefined for those. Lets go of the body. */
export async function refusalOf(response: OutboundResponse): Promise<FailedRunResult | undefined> {
  const { status, headers } = response;
  if (status >= 200 && status <= 299) return undefined;
  await response.discard();
  const isRedirect = status >= 300 && status < 400;
  const message = isRedirect ? `agent answered ${status}: redirects are not followed` : `agent answered ${status}`;
  const retryable = retryableStatuses.has(status);
  const askedMs = retryable ? retryAfterMs(headers['retry-after']) : undefined;
  return { kind: 'failed', message, retryable, ...(askedMs !== undefined && { retryAfterMs: askedMs }) };
}
