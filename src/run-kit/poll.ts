import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentAttempt } from './attempt.ts';
import { AgentFault, failed, failureOf } from './failures.ts';

/** What a look at work in progress shows: its result, or how long the agent asks to wait. */
export type Seen<Result> = { readonly result: Result } | { readonly retryAfterMs?: number | undefined };

/** Durations in milliseconds. */
export interface PollOptions {
  /** The pause after the first look; 500 by default. */
  readonly firstMs?: number;
  /** The longest pause between two looks that succeed; 10,000 by default. */
  readonly longestMs?: number;
  /** How much longer each pause is than the one before; 1.5 by default. */
  readonly growth?: number;
  /** How long one look may take; 30,000 by default. */
  readonly lookMs?: number;
}

/** Beyond this many milliseconds, 24.8 days, a timer of Node fires at once. */
const longestTimerMs = 2 ** 31 - 1;
/** The shortest pause that an agent may ask for, unless pauses are shorter anyway, in milliseconds. */
const shortestAskedMs = 1_000;
/** The longest pause after looks that failed, in milliseconds, unless pauses are longer anyway. */
const longestFailureMs = 60_000;

/**
 * Looks at work in progress until there is a result: with exponential backoff, or as the agent asks by `Retry-After`. A
 * look that fails with a retryable fault is repeated, since the work continues whether or not it can be seen; any other
 * error is thrown. Rejects when the signal of the attempt aborts.
 */
export async function poll<Result>(
  { signal }: Pick<AgentAttempt, 'signal'>,
  { firstMs = 500, longestMs = 10_000, growth = 1.5, lookMs = 30_000 }: PollOptions,
  look: (signal: AbortSignal) => Promise<Seen<Result>>,
): Promise<Result> {
  let usualMs = firstMs;
  for (let failures = 0; ; usualMs = Math.min(usualMs * growth, longestMs)) {
    const seen = await within(lookMs, signal, look).catch((error: unknown): Seen<Result> & { failed?: true } => {
      signal.throwIfAborted();
      const failure = failureOf(error);
      if (!failure.retryable) throw error;
      return { failed: true, retryAfterMs: failure.retryAfterMs };
    });
    if ('result' in seen) return seen.result;
    failures = 'failed' in seen ? failures + 1 : 0;
    const backoffMs = Math.max(usualMs, Math.min(usualMs * 2 ** failures, longestFailureMs));
    const { retryAfterMs: askedMs } = seen;
    await pause(askedMs === undefined ? backoffMs : Math.max(askedMs, Math.min(backoffMs, shortestAskedMs)), signal);
  }
}

/** Waits. Rejects when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.min(ms, longestTimerMs), undefined, { signal });
}

/**
 * Makes a call with a bound of its own, shorter than the attempt's. The signal that it is given aborts as `signal` does, or
 * when the time is up: with a retryable AgentFault as reason.
 */
export async function within<Value>(
  ms: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  const late = failed(`agent did not answer within ${ms / 1000}s`, true);
  const timer = setTimeout(() => controller.abort(new AgentFault(late)), Math.min(ms, longestTimerMs));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await call(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
