/** How long a count of the queue is good for, in milliseconds: other nodes add to it and take from it. */
const goodForMs = 250;

/**
 * When the queue has to be counted, so that not every step does. Never more than `maxQueued` wait for longer than that by what one
 * node accepts, and while a half is free, by what several nodes can accept in that time.
 */
export class QueueBound {
  readonly #most: number;
  #queued = Infinity;
  #countedAt = -Infinity;

  constructor(maxQueued: number) {
    this.#most = maxQueued;
  }

  /** @param submissions of the step. Returns the bound that it has to check; null: it need not count. */
  bound(submissions: number): number | null {
    this.#queued += submissions;
    const isGood = performance.now() - this.#countedAt < goodForMs && this.#queued * 2 < this.#most;
    return isGood ? null : this.#most;
  }

  /** @param queued before the submissions of the step; null: they were not counted */
  counted(queued: number | null): void {
    if (queued === null) return;
    this.#queued = queued;
    this.#countedAt = performance.now();
  }
}
