import type { Debounce } from '../types/index.ts';
import type { RunSlot } from './run-slot.ts';
import type { StoredBurst } from './store.ts';
import { type Clock, longestTimerMs } from './timers.ts';

/** A run that waits for the end of its burst, and then for a place: until it is started, others of the burst replace its input. */
export class Burst implements StoredBurst {
  readonly slot: RunSlot;
  readonly key: string;
  readonly endsAt: number;
  startsAt: number;
  /** Submissions to it that the store has not answered: until then it is not known which input is the last. */
  unanswered = 0;
  /** Whether it waits for its time, and not for a place. */
  isHeld = true;
  timer: NodeJS.Timeout | undefined;

  constructor(slot: RunSlot, { key, startsAt, endsAt }: StoredBurst) {
    this.slot = slot;
    this.key = key;
    this.startsAt = startsAt;
    this.endsAt = endsAt;
  }
}

/** The runs that wait for the end of their bursts. One whose time has come takes its place in the queue. */
export class Bursts {
  readonly #clock: Clock;
  readonly #due: (slot: RunSlot) => void;
  /** By key, the burst that the next run joins. */
  readonly #open = new Map<string, Burst>();
  readonly #held = new Set<Burst>();
  /** Those that have not been started. */
  readonly #waiting = new Map<RunSlot, Burst>();

  /** @param due called with a run whose time has come; it may start the run at once */
  constructor(clock: Clock, due: (slot: RunSlot) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** How many runs wait for their time. */
  get size(): number {
    return this.#held.size;
  }

  /** The burst that a run with this key joins; undefined if it begins one. */
  find(key: string): Burst | undefined {
    const burst = this.#open.get(key);
    // A timer may be late.
    if (burst !== undefined && this.#clock.now() >= burst.startsAt) this.#release(burst);
    return this.#open.get(key);
  }

  /** Holds a run from now on. It does not start before `answered` was called as often as there are submissions. */
  begin(slot: RunSlot, stored: StoredBurst, unanswered: number): Burst {
    const burst = new Burst(slot, stored);
    burst.unanswered = unanswered;
    this.#waiting.set(slot, burst);
    this.#open.set(stored.key, burst);
    this.#held.add(burst);
    if (unanswered === 0) this.#arm(burst);
    return burst;
  }

  /** When a run that is submitted now would start, if it begins a burst. */
  startOf({ key, waitMs, maxMs }: Debounce): StoredBurst {
    const now = this.#clock.now();
    return { key, startsAt: now + Math.min(waitMs, maxMs), endsAt: now + maxMs };
  }

  /** A run joins. Returns when the burst starts if the store accepts it; never earlier than before. */
  join(burst: Burst, waitMs: number): number {
    burst.unanswered += 1;
    return Math.max(burst.startsAt, Math.min(this.#clock.now() + waitMs, burst.endsAt));
  }

  /** The store has answered a submission. */
  answered(burst: Burst, startsAt: number): void {
    burst.unanswered -= 1;
    burst.startsAt = Math.max(burst.startsAt, startsAt);
    if (burst.isHeld) this.#arm(burst);
  }

  /** The burst of a run that has not been started. */
  of(slot: RunSlot): Burst | undefined {
    return this.#waiting.size === 0 ? undefined : this.#waiting.get(slot);
  }

  /** The runs of a session that wait for their time. Looks at all that do. */
  inSession(conversation: string): readonly RunSlot[] {
    return [...this.#held].map(({ slot }) => slot).filter(({ record }) => record.conversation === conversation);
  }

  /** The next run of its key begins another burst. */
  close(burst: Burst): void {
    if (this.#open.get(burst.key) === burst) this.#open.delete(burst.key);
  }

  /** The run is being started, or has ended: the next one of its key begins a burst. Returns whether it was held. */
  leave(slot: RunSlot): boolean {
    const burst = this.of(slot);
    if (burst === undefined) return false;
    this.#waiting.delete(slot);
    clearTimeout(burst.timer);
    this.close(burst);
    burst.isHeld = false;
    return this.#held.delete(burst);
  }

  /** No run is released from now on. */
  clear(): void {
    for (const { timer } of this.#held) clearTimeout(timer);
  }

  #arm(burst: Burst): void {
    if (burst.unanswered > 0) return;
    clearTimeout(burst.timer);
    const delayMs = Math.max(0, burst.startsAt - this.#clock.now());
    burst.timer = setTimeout(() => this.#release(burst), Math.min(delayMs, longestTimerMs));
  }

  #release(burst: Burst): void {
    if (!burst.isHeld || burst.unanswered > 0) return;
    clearTimeout(burst.timer);
    burst.isHeld = false;
    this.#held.delete(burst);
    this.#due(burst.slot);
  }
}
