import type { FinalRunResult, MaybePromise } from '../contract/index.ts';

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
  execute: (signal: AbortSignal) => MaybePromise<FinalRunResult>,
): MaybePromise<FinalRunResult> {
  const controller = new AbortController();
  const result = execute(controller.signal);
  return result instanceof Promise ? raceTime(timeoutMs, signal, controller, result) : result;
}

async function raceTime(
  timeoutMs: number,
  signal: AbortSignal,
  controller: AbortController,
  result: Promise<FinalRunResult>,
): Promise<FinalRunResult> {
  const cut = Promise.withResolvers<FinalRunResult>();
  let grace: NodeJS.Timeout | undefined;
  let timedOut: FinalRunResult | undefined;
  const abort = (reason: unknown, otherwise: FinalRunResult): void => {
    controller.abort(reason);
    grace ??= setTimeout(() => cut.resolve(otherwise), graceMs).unref();
  };
  const timer = setTimeout(
    () => {
      timedOut = { kind: 'failed', message: `the run did not end within ${timeoutMs / 1000}s`, retryable: true };
      abort(undefined, timedOut);
    },
    Math.min(timeoutMs, longestTimerMs),
  );
  const onAbort = (): void => {
    clearTimeout(timer);
    abort(signal.reason, { kind: 'failed', message: 'the run was aborted', retryable: false });
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const ended = await Promise.race([result, cut.promise]);
    // What an aborted plugin says of itself is that it was aborted, not why.
    return timedOut !== undefined && ended?.kind === 'failed' ? timedOut : ended;
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
    signal.removeEventListener('abort', onAbort);
  }
}
