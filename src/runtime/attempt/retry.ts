import type { RetryPolicy } from '../../config/model.ts';
import type { FinalRunResult } from '../../contract/index.ts';
import type { RunOutcome } from '../../engine/types/index.ts';

/** The longest pause that an agent can ask for, in milliseconds. */
const longestAskedMs = 24 * 3_600_000;
/** By what share of itself a pause varies, so that runs that failed together do not come back together. */
const jitter = 0.2;

/** What becomes of a run after an attempt that gave this result: its end, or another attempt after a pause. */
export function outcomeOf(
  result: FinalRunResult,
  attempt: number,
  { attempts, backoffMs, maxMs }: RetryPolicy,
  random = Math.random,
): RunOutcome {
  if (result.kind !== 'failed' || !result.retryable || attempt >= attempts) return result;
  const { message, retryAfterMs = 0, detail, memory, usage } = result;
  const pauseMs = Math.min(backoffMs * 2 ** (attempt - 1), maxMs) * (1 - jitter + 2 * jitter * random());
  const delayMs = Math.round(Math.max(pauseMs, Math.min(retryAfterMs, longestAskedMs)));
  const said = detail !== undefined && { detail };
  return { kind: 'retry', message, delayMs, ...said, ...(memory !== undefined && { memory }), ...(usage && { usage }) };
}
