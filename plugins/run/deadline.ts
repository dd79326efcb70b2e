import type { FailedRunResult } from '../../src/contract/index.ts';
import { longestTimerMs } from './longest-timer.ts';

/**
 * Gives the result of an exchange, or a failure as soon as time is up or `signal` aborts. It does not wait for the
 * exchange to notice: a request that still queues for a connection would notice only once it gets one.
 */
export async function withinDeadline<Result>(
  timeoutMs: number,
  signal: AbortSignal,
  exchange: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | FailedRunResult> {
  if (signal.aborted) return aborted;
  const controller = new AbortController();
  const cut = Promise.withResolvers<FailedRunResult>();
  const cutWith = (result: FailedRunResult): void => {
    cut.resolve(result);
    controller.abort();
  };
  const onAbort = (): void => cutWith(aborted);
  const timer = setTimeout(() => cutWith(timedOut(timeoutMs)), Math.min(timeoutMs, longestTimerMs));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([cut.promise, exchange(controller.signal)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

export const aborted: FailedRunResult = Object.freeze({
  kind: 'failed',
  message: 'the run was aborted',
  retryable: false,
});

export function timedOut(timeoutMs: number): FailedRunResult {
  return {
    kind: 'failed',
    message: `agent did not answer within ${timeoutMs / 1000}s`,
    retryable: true,
  };
}
