import type { PluginLog } from '../../contract/index.ts';
import type { Executor, RunRecord } from '../types/index.ts';
import type { Membership } from './membership.ts';
import { OneAtATime } from './one-at-a-time.ts';
import type { SharedStore, TakenNotification } from './shared-store.ts';

/** How many callbacks are sent at once. */
const mostAtOnce = 32;
/** How often the store is asked for callbacks that are due, in milliseconds. */
const pollMs = 3000;
/** For how long a callback is this node's: longer than sending it takes. Should the node die, another one sends it after that. */
const leaseMs = 90_000;
/** The delay after the store or the executor failed unexpectedly, in milliseconds. */
const errorDelayMs = 10_000;
/** After how long another node may send a callback that this one cannot send, in milliseconds. */
const leaveDelayMs = 1000;

type Notify = NonNullable<Executor['notify']>;

export interface ClusterNotificationsParts {
  readonly store: Pick<SharedStore, 'takeNotifications' | 'notified' | 'notifyLater'>;
  readonly log: PluginLog;
  readonly membership: Pick<Membership, 'life'>;
  /** Whether this node cannot tell where the callback of a run goes, and another one may: its config has the trigger. */
  isForOthers(run: RunRecord): boolean;
}

/** Sends the callbacks of final runs, at least once, with retries. Any node sends those that are due. */
export class ClusterNotifications {
  readonly #parts: ClusterNotificationsParts;
  readonly #notify: Notify;
  readonly #poll: NodeJS.Timeout;
  readonly #controller = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  readonly #taking = new OneAtATime(() => this.#take());

  constructor(parts: ClusterNotificationsParts, notify: Notify) {
    this.#parts = parts;
    this.#notify = notify;
    this.#poll = setInterval(() => this.look(), pollMs).unref();
  }

  /** Some may be due. */
  look(): void {
    this.#taking.ask();
  }

  /** Aborts those being sent: they are sent again once their lease has ended. */
  async close(): Promise<void> {
    clearInterval(this.#poll);
    this.#controller.abort();
    await Promise.all(this.#sending);
  }

  async #take(): Promise<void> {
    const { store, membership, log } = this.#parts;
    const { life } = membership;
    const most = mostAtOnce - this.#sending.size;
    if (life === undefined || most <= 0 || this.#controller.signal.aborted) return;
    try {
      for (const taken of await store.takeNotifications(most, leaseMs)) this.#begin(taken);
    } catch (err) {
      log.warn({ err }, 'callbacks that are due could not be read from the store; they are read again');
    }
  }

  #begin(taken: TakenNotification): void {
    const sending = this.#send(taken).finally(() => {
      const wasFull = this.#sending.size >= mostAtOnce;
      this.#sending.delete(sending);
      if (wasFull) this.look();
    });
    this.#sending.add(sending);
  }

  async #send({ run, attempts }: TakenNotification): Promise<void> {
    const { store, log } = this.#parts;
    const { signal } = this.#controller;
    const attempt = attempts + 1;
    try {
      if (this.#parts.isForOthers(run)) return await store.notifyLater(run.id, attempts, leaveDelayMs);
      const delayMs = await this.#notify(run, attempt, signal);
      // Aborted, it may not have been delivered.
      if (signal.aborted) return await store.notifyLater(run.id, attempts, 0);
      if (delayMs === undefined) return await store.notified(run.id);
      await store.notifyLater(run.id, attempt, delayMs);
      this.#lookIn(delayMs);
    } catch (err) {
      if (signal.aborted) return;
      log.error({ err, runId: run.id, requestId: run.requestId }, 'a notification failed unexpectedly; retrying');
      await store.notifyLater(run.id, attempts, errorDelayMs).catch(() => {});
      this.#lookIn(errorDelayMs);
    }
  }

  /** Polling finds those that are due later. */
  #lookIn(delayMs: number): void {
    if (delayMs < pollMs) setTimeout(() => this.look(), delayMs).unref();
  }
}
