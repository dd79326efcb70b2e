import type { Attempt } from '../../src/contract/index.ts';

const released = new Error('released');

/** The signal of an attempt, with a reason that tells abandoned from released work. For plugins that are not on the kit yet. */
export function legacySignal(attempt: Attempt): AbortSignal {
  const controller = new AbortController();
  let isAbandoned = false;
  attempt.onAbandon(() => {
    isAbandoned = true;
  });
  const abort = (): void => controller.abort(isAbandoned ? undefined : released);
  attempt.signal.addEventListener('abort', abort, { once: true });
  if (attempt.signal.aborted) abort();
  return controller.signal;
}

/** Whether the work of an aborted attempt is abandoned. */
export function isCancellation({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason !== released;
}
