interface Item<T> {
  readonly at: number;
  readonly value: T;
}

/** A priority queue by expiry time: a binary heap, so that no call visits all values. */
export class ExpiryQueue<T> {
  readonly #heap: Item<T>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** Adds a value that expires at `at`, milliseconds since the epoch. */
  add(at: number, value: T): void {
    const heap = this.#heap;
    const item = { at, value };
    let index = heap.length;
    heap.push(item);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.at <= at) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = item;
  }

  /** When the first value expires. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** Removes the value that expires first, if it has expired at `now`. */
  takeExpired(now: number): T | undefined {
    const first = this.#heap[0];
    return first === undefined || first.at > now ? undefined : this.takeFirst();
  }

  /** Removes the value that expires first. */
  takeFirst(): T | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first?.value;
  }

  /** Replaces the root with an item and sifts it down. */
  #sink(item: Item<T>): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && right.at < child.at) {
        childIndex += 1;
        child = right;
      }
      if (item.at <= child.at) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = item;
  }
}
