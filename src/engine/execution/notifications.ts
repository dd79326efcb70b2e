import type { PluginLog } from '../../contract/index.ts';
import type { Executor } from '../types/index.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import type { PendingNotification, Store } from './store.ts';
import { type Clock, longestTimerMs } from './timers.ts';

/** How many notifications are on their way at once. */
const mostAtOnce = 32;
/** The longest pause that a stored due time can mean, whatever the clock did meanwhile. */
const longestPauseMs = 30 * 3_600_000;
/** How long one waits after the store, or the executor, failed unexpectedly. Milliseconds. */
const afterErrorMs = 10_000;

type Notify = NonNullable<Executor['notify']>;

/** Tells of runs that are final, again and again until it is done. Holds no more of a run than its id until then. */
export class Notifications {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: PluginLog;
  /** By `performance.now()`, which nobody sets. */
  readonly #due = new ExpiryQueue<Omit<PendingNotification, 'dueAt'>>();
  readonly #controller = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
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
    const pauseMs = Math.min(Math.max(dueAt - this.#clock.now(), 0), longestPauseMs);
    this.#due.add(performance.now() + pauseMs, { id, attempts });
    this.#pump();
  }

  /** Those under way are aborted; all that are not done come again at the next start. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#controller.abort();
    await Promise.all(this.#underWay);
  }

  #pump(): void {
    clearTimeout(this.#timer);
    const notify = this.#notify;
    if (notify === undefined || this.#controller.signal.aborted) return;
    while (this.#underWay.size < mostAtOnce) {
      const next = this.#due.takeExpired(performance.now());
      if (next === undefined) break;
      const trying = this.#try(next, notify).finally(() => {
        this.#underWay.delete(trying);
        this.#pump();
      });
      this.#underWay.add(trying);
    }
    const { nextAt } = this.#due;
    if (nextAt === undefined || this.#underWay.size >= mostAtOnce) return;
    this.#timer = setTimeout(() => this.#pump(), Math.min(Math.max(nextAt - performance.now(), 0) + 1, longestTimerMs));
    this.#timer.unref();
  }

  async #try({ id, attempts }: Omit<PendingNotification, 'dueAt'>, notify: Notify): Promise<void> {
    const { signal } = this.#controller;
    const attempt = attempts + 1;
    try {
      const run = await this.#store.ended(id);
      const delayMs = run && (await notify(run, attempt, signal));
      // Aborted, it may not have got through: what is stored brings it back.
      if (signal.aborted) return;
      if (delayMs === undefined) return await this.#store.notified(id);
      this.#due.add(performance.now() + delayMs, { id, attempts: attempt });
      await this.#store.notifyLater({ id, attempts: attempt, dueAt: this.#clock.now() + delayMs });
    } catch (err) {
      if (signal.aborted) return;
      this.#log.error({ err, runId: id }, 'a notification failed unexpectedly');
      this.#due.add(performance.now() + afterErrorMs, { id, attempts });
    }
  }
}
