import type { DetachedRun, FailedRunResult, FinalRunResult, RunEvent } from '../../src/contract/index.ts';
import { aborted, timedOut } from './deadline.ts';
import { longestTimerMs } from './longest-timer.ts';

type Events<Result> = AsyncGenerator<RunEvent, Result | FailedRunResult, undefined>;

/**
 * As `withinDeadline`, for an exchange that tells of its events as they come. It is waited for until it notices, so it
 * must end or throw soon after its signal aborts.
 */
export async function* streamWithinDeadline<Result extends FinalRunResult | DetachedRun>(
  timeoutMs: number,
  signal: AbortSignal,
  exchange: (signal: AbortSignal) => Events<Result>,
): Events<Result> {
  if (signal.aborted) return aborted;
  const controller = new AbortController();
  const cut: { by?: FailedRunResult } = {};
  const cutBy = (result: FailedRunResult): void => {
    cut.by ??= result;
    controller.abort();
  };
  const onAbort = (): void => cutBy(aborted);
  const timer = setTimeout(() => cutBy(timedOut(timeoutMs)), Math.min(timeoutMs, longestTimerMs));
  signal.addEventListener('abort', onAbort, { once: true });
  const events = exchange(controller.signal);
  let isDone = false;
  try {
    for (;;) {
      const next = await events.next();
      isDone = next.done === true;
      if (cut.by !== undefined) return cut.by;
      if (next.done) return next.value;
      yield next.value;
    }
  } catch (error) {
    isDone = true;
    if (cut.by === undefined) throw error;
    return cut.by;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    if (!isDone) {
      controller.abort();
      await events.return(aborted);
    }
  }
}
