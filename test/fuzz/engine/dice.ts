import { SeededRandom } from '../../../src/filter/random.ts';

/** Repeatable random choices. */
export class Dice {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** A whole number of at least 0, below the limit. */
  below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  /** A number below the limit of which small ones are more likely: all magnitudes are as likely as each other. */
  magnitude(limit: number): number {
    return Math.floor(limit ** this.#random.next()) - 1;
  }

  /** A size of at least the unit: each doubling is half as likely. */
  doublings(unit: number, limit: number): number {
    let size = unit;
    while (size < limit && this.chance(0.5)) size *= 2;
    return Math.min(size, limit);
  }

  chance(share: number): boolean {
    return this.#random.next() < share;
  }

  pick<Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}
