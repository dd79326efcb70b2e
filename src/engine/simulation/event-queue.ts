import { ExpiryQueue } from '../execution/expiry-queue.ts';

/** Events by time; those of the same time in the order in which they were added. */
export class EventQueue<T> {
  readonly #times = new ExpiryQueue<number>();
  readonly #events = new Map<number, T[]>();

  /** When the next event happens. */
  get nextAt(): number | undefined {
    return this.#times.nextAt;
  }

  add(at: number, event: T): void {
    const events = this.#events.get(at);
    if (events !== undefined) {
      events.push(event);
      return;
    }
    this.#events.set(at, [event]);
    this.#times.add(at, at);
  }

  /** Removes the next event. */
  take(): T | undefined {
    const at = this.#times.nextAt;
    if (at === undefined) return undefined;
    const events = this.#events.get(at) ?? [];
    const event = events.shift();
    if (events.length === 0) {
      this.#events.delete(at);
      this.#times.takeFirst();
    }
    return event;
  }
}
