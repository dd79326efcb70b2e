import { ExpiryQueue } from './expiry-queue.ts';
import type { RunSlot } from './run-slot.ts';
import type { Clock } from './timers.ts';

/** How long a timer lasts at most, in milliseconds: a machine may sleep meanwhile, and its time of day may be set. */
const longestLookMs = 60_000;
/** How many removed runs the queue may hold in addition to as many as wait. */
const spare = 64;

interface Delayed {
  readonly slot: RunSlot;
  readonly startsAt: number;
  /** Its place in the order of acceptance. */
  readonly number: number;
}

/** Runs that wait for the time at which they may start. One timer serves all of them. */
export class DelayedRuns {
  readonly #clock: Clock;
  readonly #onDue: (slots: readonly RunSlot[]) => void;
  readonly #waiting = new Map<RunSlot, Delayed>();
  /** Those that were removed are still in it, up to a bound. */
  #queue = new ExpiryQueue<Delayed>();
  #count = 0;
  #timer: { readonly handle: NodeJS.Timeout; readonly at: number } | undefined;

  /** @param onDue called with those whose time has come, by that time, then in the order of their acceptance */
  constructor(clock: Clock, onDue: (slots: readonly RunSlot[]) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** How many runs are in memory, those included that were removed. */
  get held(): number {
    return this.#queue.size;
  }

  /** Takes a run that has never been started and may not start yet; false for any other. */
  take(slot: RunSlot): boolean {
    const { startsAt, attempt } = slot.record;
    if (startsAt === undefined || attempt > 0 || startsAt <= this.#clock.now()) return false;
    this.#count += 1;
    const delayed = { slot, startsAt, number: this.#count };
    this.#waiting.set(slot, delayed);
    this.#queue.add(startsAt, delayed);
    this.#look();
    return true;
  }

  /** Removes a run; false if it does not wait here. */
  remove(slot: RunSlot): boolean {
    if (!this.#waiting.delete(slot)) return false;
    if (this.#queue.size > 2 * this.#waiting.size + spare) this.#rebuild();
    return true;
  }

  /** The runs of a session. Looks at all. */
  inSession(conversation: string): readonly RunSlot[] {
    return [...this.#waiting.keys()].filter(({ record }) => record.conversation === conversation);
  }

  clear(): void {
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
  }

  #rebuild(): void {
    this.#queue = new ExpiryQueue();
    for (const delayed of this.#waiting.values()) this.#queue.add(delayed.startsAt, delayed);
  }

  /** Sets the timer for the first run. */
  #look(): void {
    const at = this.#queue.nextAt;
    if (at === undefined || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.clear();
    const delayMs = Math.min(Math.max(at - this.#clock.now(), 1), longestLookMs);
    this.#timer = { handle: setTimeout(() => this.#release(), delayMs), at };
  }

  #release(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    const due: Delayed[] = [];
    for (let one = this.#queue.takeExpired(now); one !== undefined; one = this.#queue.takeExpired(now)) {
      if (this.#waiting.delete(one.slot)) due.push(one);
    }
    this.#look();
    // Equal times leave the queue in any order.
    due.sort((one, other) => one.startsAt - other.startsAt || one.number - other.number);
    if (due.length > 0) this.#onDue(due.map(({ slot }) => slot));
  }
}
