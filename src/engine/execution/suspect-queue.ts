import type { RunSlot } from './run-slot.ts';

/** How many suspects that were interrupted once run beside each other: at first, and at most. */
const places = { first: 4, most: 32 };

type Lanes = Map<string, Set<RunSlot>>;

/**
 * The suspects: runs whose process died while it executed them. One of them may be the cause, so they are taken up a few at a
 * time: each that ends makes a place for one more. Those that were interrupted more often come later and run alone, so that
 * another death counts against as few others as possible.
 */
export class SuspectQueue {
  /** By how often they were interrupted, then by trigger and value of `per`, each in the order of acceptance. */
  readonly #waiting = new Map<number, Lanes>();
  /** Numbers of interruptions whose pause is over, ascending. */
  #open: readonly number[] = [];
  readonly #running = new Map<RunSlot, number>();
  #places = places.first;
  #size = 0;

  /** Whether one is waiting, paused or not. */
  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** The pause of those that were interrupted so often is over. */
  open(interruptions: number): void {
    this.#open = [...new Set([...this.#open, interruptions])].sort((one, other) => one - other);
  }

  add(run: RunSlot): void {
    const { interruptions } = run.record;
    const lanes: Lanes = this.#waiting.get(interruptions) ?? new Map();
    const key = keyOf(run);
    const lane = lanes.get(key) ?? new Set();
    this.#waiting.set(interruptions, lanes.set(key, lane.add(run)));
    this.#size += 1;
  }

  /**
   * Takes the suspect that may start now, if any.
   * @param hasPlace whether another run of its trigger and value may start
   */
  next(hasPlace: (run: RunSlot) => boolean): RunSlot | undefined {
    if (this.isEmpty) return undefined;
    for (const interruptions of this.#open) {
      if (!this.#mayStart(interruptions)) return undefined;
      for (const lane of this.#waiting.get(interruptions)?.values() ?? []) {
        const [run] = lane;
        if (run === undefined || !hasPlace(run)) continue;
        this.remove(run);
        this.#running.set(run, interruptions);
        return run;
      }
    }
    return undefined;
  }

  /** Removes a run that waits. */
  remove(run: RunSlot): void {
    const { interruptions } = run.record;
    const lanes = this.#waiting.get(interruptions);
    const key = keyOf(run);
    const lane = lanes?.get(key);
    if (!lane?.delete(run)) return;
    this.#size -= 1;
    if (lane.size === 0) lanes?.delete(key);
  }

  /** An attempt has ended, or has proved harmless: its place is free, and there is one more. */
  leave(run: RunSlot): void {
    if (!this.#running.delete(run)) return;
    this.#places = Math.min(this.#places + 1, places.most);
  }

  #mayStart(interruptions: number): boolean {
    if (interruptions > 1) return this.#running.size === 0;
    if (this.#running.size >= this.#places) return false;
    for (const other of this.#running.values()) if (other > 1) return false;
    return true;
  }
}

function keyOf({ lane, value }: RunSlot): string {
  return `${lane}\n${value}`;
}
