/** What is promised. A request that queues for a connection would notice only once it gets one that it is aborted. */
export function unlessAborted<T>(promised: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promised.then(resolve, reject);
  });
}
