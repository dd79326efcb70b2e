import { ExpiryQueue } from '../execution/expiry-queue.ts';
import type { LimitedUses } from '../types/index.ts';

/** How often limited credentials have been used, until they end. */
export class Uses {
  readonly #counts = new Map<string, number>();
  readonly #ending = new ExpiryQueue<string>();

  hasLeft({ id, limit }: LimitedUses): boolean {
    return (this.#counts.get(id) ?? 0) < limit;
  }

  count({ id, until }: LimitedUses): void {
    const before = this.#counts.get(id);
    if (before === undefined) this.#ending.add(until, id);
    this.#counts.set(id, (before ?? 0) + 1);
  }

  /** Drops counts of credentials that have ended, up to `limit`. True if there may be more. */
  sweep(now: number, limit: number): boolean {
    for (let count = 0; count < limit; count += 1) {
      const id = this.#ending.takeExpired(now);
      if (id === undefined) return false;
      this.#counts.delete(id);
    }
    return true;
  }
}
