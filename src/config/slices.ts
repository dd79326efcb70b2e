import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work may hold the event loop at a time, in milliseconds. */
const sliceMs = 10;

/** The largest number of items in a slice, also where each is quick. */
export const itemsPerSlice = 64;

/** Divides work on many items into slices, between which the event loop serves requests. */
export class Slices {
  #startedAt = performance.now();
  #items = 0;

  /** Called after each item: a promise to wait for if the slice is over. */
  next(): Promise<void> | undefined {
    this.#items += 1;
    if (this.#items < itemsPerSlice && performance.now() - this.#startedAt < sliceMs) return undefined;
    return this.#turn();
  }

  async #turn(): Promise<void> {
    await nextTurn();
    this.#startedAt = performance.now();
    this.#items = 0;
  }
}

/** Maps items in slices. */
export async function mapInSlices<Item, Result>(
  items: readonly Item[],
  map: (item: Item) => Result,
): Promise<Result[]> {
  const slices = new Slices();
  const results: Result[] = [];
  for (const item of items) {
    results.push(map(item));
    const pause = slices.next();
    if (pause) await pause;
  }
  return results;
}
