import type { PluginLog } from '../../contract/index.ts';
import type { Executor } from '../types/index.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import type { PendingNotification, Store } from './store.ts';
import { type Clock, longestTimerMs } from './timers.ts';

/** How many notifications are sent at once. */
const maxConcurrent = 32;
/** The longest delay that a stored due time can mean, however the clock was set meanwhile. */
const longestDelayMs = 30 * 3_600_000;
/** The delay after the store or the executor failed unexpectedly, in milliseconds. */
const errorDelayMs = 10_000;

type Notify = NonNullable<Executor['notify']>;

/** Has final runs notified of, at least once, with retries. Between attempts it holds only their ids. */
export class Notifications {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: PluginLog;
  /** By `performance.now()`, which is monotonic. */
  readonly #due = new ExpiryQueue<Omit<PendingNotification, 'dueAt'>>();
  readonly #controller = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  #notify: Notify | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Store, clock: Clock, log: PluginLog) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  start(notify: Notify): void {
    this.#notify = notify;
    this.#pump();
  }

  add({ id, attempts, dueAt }: PendingNotification): void {
    const delayMs = Math.min(Math.max(dueAt - this.#clock.now(), 0), longestDelayMs);
    this.#due.add(performance.now() + delayMs, { id, attempts });
    this.#pump();
  }

  /** Aborts those being sent. Whatever was not delivered is sent again at the next start. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#controller.abort();
    await Promise.all(this.#sending);
  }

  #pump(): void {
    clearTimeout(this.#timer);
    const notify = this.#notify;
    if (notify === undefined || this.#controller.signal.aborted) return;
    while (this.#sending.size < maxConcurrent) {
      const next = this.#due.takeExpired(performance.now());
      if (next === undefined) break;
      const sending = this.#send(next, notify).finally(() => {
        this.#sending.delete(sending);
        this.#pump();
      });
      this.#sending.add(sending);
    }
    const { nextAt } = this.#due;
    if (nextAt === undefined || this.#sending.size >= maxConcurrent) return;
    this.#timer = setTimeout(() => this.#pump(), Math.min(Math.max(nextAt - performance.now(), 0) + 1, longestTimerMs));
    this.#timer.unref();
  }

  async #send({ id, attempts }: Omit<PendingNotification, 'dueAt'>, notify: Notify): Promise<void> {
    const { signal } = this.#controller;
    const attempt = attempts + 1;
    try {
      const run = await this.#store.ended(id);
      const delayMs = run && (await notify(run, attempt, signal));
      // Aborted, it may not have been delivered; it stays stored, so the next start sends it again.
      if (signal.aborted) return;
      if (delayMs === undefined) return await this.#store.notified(id);
      this.#due.add(performance.now() + delayMs, { id, attempts: attempt });
      await this.#store.notifyLater({ id, attempts: attempt, dueAt: this.#clock.now() + delayMs });
    } catch (err) {
      if (signal.aborted) return;
      this.#log.error({ err, runId: id }, 'a notification failed unexpectedly; retrying');
      this.#due.add(performance.now() + errorDelayMs, { id, attempts });
    }
  }
}
