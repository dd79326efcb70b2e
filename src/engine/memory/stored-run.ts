import type { RunRecord } from '../../contract/index.ts';
import type { HeldClaim } from './claims.ts';

/** Beyond this many milliseconds, 24.8 days, a timer of Node fires at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** A run in memory. Its record is never changed but replaced, so that whoever was given one keeps what was true then. */
export class StoredRun {
  record: RunRecord;
  readonly claim: HeldClaim | undefined;
  /** While it is running. */
  controller: AbortController | undefined = undefined;
  /** The run that finished next. */
  nextFinished: StoredRun | undefined = undefined;
  #waiters: Set<() => void> | undefined = undefined;

  constructor(record: RunRecord, claim: HeldClaim | undefined) {
    this.record = record;
    this.claim = claim;
  }

  /** The record when `tellWaiters` is called, when the time is up or when the signal aborts, whichever is first. */
  wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<RunRecord> {
    return new Promise((resolve) => {
      this.#waiters ??= new Set();
      const waiters = this.#waiters;
      const answer = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', answer);
        waiters.delete(answer);
        resolve(this.record);
      };
      const timer = setTimeout(answer, Math.min(timeoutMs, longestTimerMs));
      signal?.addEventListener('abort', answer);
      waiters.add(answer);
    });
  }

  /** Ends all waits. */
  tellWaiters(): void {
    for (const answer of this.#waiters ?? []) answer();
  }
}
