/** How many runs are queued on all nodes: as of the last beat, and what this node has changed since. */
export class QueuedCount {
  #count = 0;

  get value(): number {
    return this.#count;
  }

  add(runs: number): void {
    this.#count = Math.max(this.#count + runs, 0);
  }

  /** As the store has counted. */
  set(count: number): void {
    this.#count = count;
  }
}
