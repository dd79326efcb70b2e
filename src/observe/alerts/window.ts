/** How many buckets a window has: it slides in steps of a thirtieth of its length. */
const buckets = 30;

/**
 * Sums of a few numbers over the latest part of time, in a fixed number of buckets: its memory does not depend on the traffic.
 */
export class Window {
  readonly #widthMs: number;
  readonly #numbers: number;
  /** Which bucket of time each slot holds. */
  readonly #held = new Float64Array(buckets).fill(-1);
  readonly #sums: Float64Array;

  /** @param numbers how many are summed */
  constructor(lengthMs: number, numbers: number) {
    this.#widthMs = lengthMs / buckets;
    this.#numbers = numbers;
    this.#sums = new Float64Array(buckets * numbers);
  }

  add(now: number, number: number, amount = 1): void {
    const bucket = Math.floor(now / this.#widthMs);
    const slot = bucket % buckets;
    if (this.#held[slot] !== bucket) {
      this.#held[slot] = bucket;
      this.#sums.fill(0, slot * this.#numbers, (slot + 1) * this.#numbers);
    }
    const place = slot * this.#numbers + number;
    this.#sums[place] = (this.#sums[place] ?? 0) + amount;
  }

  /** The sums of what was added within the window that ends now. */
  sums(now: number): readonly number[] {
    const last = Math.floor(now / this.#widthMs);
    const sums = new Array<number>(this.#numbers).fill(0);
    for (const [slot, bucket] of this.#held.entries()) {
      if (bucket <= last - buckets || bucket > last) continue;
      for (let number = 0; number < this.#numbers; number += 1) {
        sums[number] = (sums[number] ?? 0) + (this.#sums[slot * this.#numbers + number] ?? 0);
      }
    }
    return sums;
  }

  clear(): void {
    this.#held.fill(-1);
  }
}
