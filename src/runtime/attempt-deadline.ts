import type { MaybePromise, RunResult } from '../contract/index.ts';

/** Beyond this many milliseconds, 24.8 days, a timer of Node fires at once. */
const longestTimerMs = 2 ** 31 - 1;
/** How long a plugin may take to settle after its signal was aborted, in milliseconds. */
const graceMs = 10_000;

/**
 * Executes one attempt within its time. Then the plugin's signal is aborted, and one that does not even settle then is
 * no longer waited for: its place is needed.
 */
export function withinTime(
  timeoutMs: number,
  signal: AbortSignal,
  execute: (signal: AbortSignal) => MaybePromise<RunResult>,
): MaybePromise<RunResult> {
  const controller = new AbortController();
  const result = execute(controller.signal);
  return result instanceof Promise ? raceTime(timeoutMs, signal, controller, result) : result;
}

async function raceTime(
  timeoutMs: number,
  signal: AbortSignal,
  controller: AbortController,
  result: Promise<RunResult>,
): Promise<RunResult> {
  const cut = Promise.withResolvers<RunResult>();
  const timedOut: RunResult = {
    kind: 'failed',
    message: `the run did not end within ${timeoutMs / 1000}s`,
    retryable: true,
  };
  let isTimedOut = false;
  let grace: NodeJS.Timeout | undefined;
  const abort = (): void => controller.abort();
  const timer = setTimeout(
    () => {
      isTimedOut = true;
      abort();
      grace = setTimeout(() => cut.resolve(timedOut), graceMs);
    },
    Math.min(timeoutMs, longestTimerMs),
  );
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    const ended = await Promise.race([result, cut.promise]);
    // What an aborted plugin says of itself is that it was aborted, not why.
    return isTimedOut && ended?.kind === 'failed' ? timedOut : ended;
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
    signal.removeEventListener('abort', abort);
  }
}
