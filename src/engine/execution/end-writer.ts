import { setTimeout as sleep } from 'node:timers/promises';
import type { MaybePromise, PluginLog } from '../../contract/index.ts';
import { EngineUnavailable } from '../types/index.ts';
import { unexpectedFailure } from './failures.ts';
import type { End, Retry, Store } from './store.ts';

/** Exponential backoff while the store is unavailable, in milliseconds. */
const backoffMs = { first: 100, most: 5000 };

/**
 * Writes what became of runs. While the store is unavailable it retries with exponential backoff, until the engine closes:
 * then the store still has the run as it was, and the next start resumes it.
 */
export class EndWriter {
  readonly #store: Store;
  readonly #log: PluginLog;
  readonly #closing = new AbortController();

  constructor(store: Store, log: PluginLog) {
    this.#store = store;
    this.#log = log;
  }

  /** Stops retrying. */
  giveUp(): void {
    this.#closing.abort();
  }

  /** Stores an end. Returns what was stored, at once if the store is synchronous; undefined if it gave up. */
  end(end: End): MaybePromise<End | undefined> {
    let storing: MaybePromise<void>;
    try {
      storing = this.#store.end(end);
    } catch (error) {
      storing = Promise.reject(error);
    }
    return storing instanceof Promise ? this.#stored(end, storing) : end;
  }

  /** Stores that a run waits for another attempt. */
  async retry(retry: Retry): Promise<void> {
    await this.#persist(retry.id, async () => this.#store.retry(retry));
  }

  async #stored(end: End, storing: Promise<void>): Promise<End | undefined> {
    try {
      await storing;
      return end;
    } catch (error) {
      return this.#endAfter(error, end);
    }
  }

  async #endAfter(error: unknown, end: End): Promise<End | undefined> {
    try {
      const isStored = await this.#persist(end.id, async () => this.#store.end(end), error);
      return isStored ? end : undefined;
    } catch (err) {
      // A plugin in plain JavaScript may return a value that cannot be serialized, such as a BigInt.
      this.#log.error({ err, runId: end.id }, 'the result of a run cannot be stored; failing the run');
      const { message, retryable } = unexpectedFailure;
      const failed: End = {
        ...end,
        state: 'failed',
        output: undefined,
        failure: { message, retryable },
        failureDetail: undefined,
        memory: undefined,
      };
      return (await this.#persist(end.id, async () => this.#store.end(failed))) ? failed : undefined;
    }
  }

  /**
   * Writes until the store takes it; false if it gave up. Rejects with any error but EngineUnavailable.
   * @param failure with what the first try has failed already
   */
  async #persist(runId: string, write: () => Promise<void>, failure?: unknown): Promise<boolean> {
    let error = failure ?? (await errorOf(write));
    for (let delayMs = backoffMs.first; error !== undefined; delayMs = Math.min(delayMs * 2, backoffMs.most)) {
      if (!EngineUnavailable.is(error)) throw error;
      this.#log.error({ err: error, runId }, 'the outcome of a run could not be stored; retrying');
      const isClosing = await sleep(delayMs, false, { signal: this.#closing.signal }).catch(() => true);
      if (isClosing) return false;
      error = await errorOf(write);
    }
    return true;
  }
}

async function errorOf(write: () => Promise<void>): Promise<unknown> {
  try {
    await write();
    return undefined;
  } catch (error) {
    return error ?? new Error('the store failed without an error');
  }
}
