/** What is promised, or a rejection as soon as `signal` aborts: a request that queues for a connection notices only later. */
export function untilAborted<T>(signal: AbortSignal, promised: Promise<T>): Promise<T> {
  const cut = Promise.withResolvers<never>();
  const abort = (): void => cut.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return Promise.race([promised, cut.promise]).finally(() => signal.removeEventListener('abort', abort));
}
