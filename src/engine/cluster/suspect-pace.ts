import type { RunSlot } from '../execution/run-slot.ts';

/** How many suspects run beside each other on this node: at first, and at most. */
const places = { first: 4, most: 32 };
/** How many other runs start before a suspect has its turn. */
const othersBefore = 8;

/**
 * How many runs that died with their process this node takes: a few at a time, since one of them may be the cause. Each that ends
 * makes a place for one more. Those that died more than once run alone.
 */
export class SuspectPace {
  readonly #running = new Set<RunSlot>();
  #places = places.first;
  #others = 0;

  get free(): number {
    for (const { record } of this.#running) if (record.interruptions > 1) return 0;
    return Math.max(this.#places - this.#running.size, 0);
  }

  /** Whether a suspect has waited for its turn long enough. */
  get isTheirTurn(): boolean {
    return this.#others >= othersBefore && this.free > 0;
  }

  started(slot: RunSlot): void {
    if (!slot.isSuspect) {
      this.#others += 1;
      return;
    }
    this.#others = 0;
    this.#running.add(slot);
  }

  /** An attempt has ended, or has proved harmless. */
  left(slot: RunSlot): void {
    if (this.#running.delete(slot)) this.#places = Math.min(this.#places + 1, places.most);
  }
}
