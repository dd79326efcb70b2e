import type { JsonObject } from '../../contract/index.ts';

/** Sums of costs by currency. */
export class Costs {
  readonly #amounts = new Map<string, number>();
  /** How many had a cost, and how many had none. */
  known = 0;
  unknown = 0;

  /** @param cost `{ amount, currency }`, as views have it; undefined: none is known */
  add(cost: unknown, times = 1): void {
    const { amount, currency } = Object(cost);
    if (typeof amount !== 'number') {
      this.unknown += times;
      return;
    }
    this.known += times;
    this.#amounts.set(String(currency), (this.#amounts.get(String(currency)) ?? 0) + amount * times);
  }

  addAll(other: Costs): void {
    for (const [currency, amount] of other.#amounts) {
      this.#amounts.set(currency, (this.#amounts.get(currency) ?? 0) + amount);
    }
    this.known += other.known;
    this.unknown += other.unknown;
  }

  /** Without any, nothing is known. */
  get text(): string {
    return [...this.#amounts].map(([currency, amount]) => `${rounded(amount)} ${currency}`).join(' + ');
  }

  get document(): readonly JsonObject[] {
    return [...this.#amounts].map(([currency, amount]) => ({ amount: rounded(amount), currency }));
  }
}

function rounded(amount: number): number {
  return amount < 0.01 ? Number(amount.toPrecision(2)) : Number(amount.toFixed(4));
}
