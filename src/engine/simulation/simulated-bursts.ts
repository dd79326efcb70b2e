import type { RunSlot } from '../execution/run-slot.ts';
import type { HeldClaim } from '../memory/claims.ts';
import type { Debounce, LimitReservation } from '../types/index.ts';
import type { SimulatedRun } from './simulated-run.ts';

/** An accepted run that has not ended. */
export interface Job {
  readonly slot: RunSlot;
  took: SimulatedRun;
  readonly reservations: readonly LimitReservation[];
  held: HeldClaim | undefined;
  isStarted: boolean;
}

/** A run that waits for the end of its burst, and then for a place: until it starts, others of the burst replace its input. */
export interface Burst {
  readonly slot: RunSlot;
  readonly key: string;
  readonly endsAt: number;
  startsAt: number;
  /** How many have joined, or were refused. */
  joined: number;
  /** Whether it waits for its time, and not for a place. */
  isHeld: boolean;
}

/** The bursts of a simulation, by the rules of the engines but without timers: who uses it knows the time. */
export class SimulatedBursts {
  /** By key, the burst that the next run joins. */
  readonly #open = new Map<string, Burst>();
  readonly #waiting = new Map<RunSlot, Burst>();

  #held = 0;

  /** How many runs wait for their time. */
  get size(): number {
    return this.#held;
  }

  find(key: string): Burst | undefined {
    return this.#open.get(key);
  }

  begin(slot: RunSlot, { key, waitMs, maxMs }: Debounce, now: number): Burst {
    const burst = { slot, key, startsAt: now + Math.min(waitMs, maxMs), endsAt: now + maxMs, joined: 0, isHeld: true };
    this.#open.set(key, burst);
    this.#waiting.set(slot, burst);
    this.#held += 1;
    return burst;
  }

  /** A run joins, unless it is refused. The burst starts never earlier than before. */
  join(burst: Burst, now: number, waitMs: number, isAccepted: boolean): void {
    burst.joined += 1;
    if (isAccepted) burst.startsAt = Math.max(burst.startsAt, Math.min(now + waitMs, burst.endsAt));
  }

  /** The time of a burst has come: its run waits for a place. */
  release(burst: Burst): void {
    burst.isHeld = false;
    this.#held -= 1;
  }

  /** The run starts, or is over. Returns whether it still waited for its time. */
  leave(slot: RunSlot): boolean {
    const burst = this.#waiting.get(slot);
    if (burst === undefined) return false;
    this.#waiting.delete(slot);
    if (this.#open.get(burst.key) === burst) this.#open.delete(burst.key);
    const { isHeld } = burst;
    burst.isHeld = false;
    if (isHeld) this.#held -= 1;
    return isHeld;
  }

  /** The runs of a session that wait for their time. */
  inSession(conversation: string): readonly RunSlot[] {
    return [...this.#waiting.values()]
      .filter(({ slot, isHeld }) => isHeld && slot.record.conversation === conversation)
      .map(({ slot }) => slot);
  }
}
