import type { LimitCounter, LimitState } from '../types/index.ts';
import type { Counters } from './ledger.ts';

interface Counter extends LimitState {
  readonly expiresAt: number;
}

/** Counters in the memory of this process. Their number is bounded by `maxValues` of each limit. */
export class MemoryCounters implements Counters {
  /** The values of each limit, the one that was charged last at the end: those of ended windows are first. */
  readonly #limits = new Map<string, Map<string, Counter>>();

  get(limit: string, value: string): LimitState | undefined {
    return this.#limits.get(limit)?.get(value);
  }

  set(limit: string, value: string, { at, used, open }: LimitState, expiresAt: number): void {
    const values = this.#limits.get(limit) ?? new Map<string, Counter>();
    this.#limits.set(limit, values);
    values.delete(value);
    values.set(value, { at, used, open, expiresAt });
  }

  count(limit: string): number {
    return this.#limits.get(limit)?.size ?? 0;
  }

  /** Those that have counted most first, at most `most`. */
  limitCounters(limit: string, most: number): readonly LimitCounter[] {
    const counters = [...(this.#limits.get(limit) ?? [])].map(([value, counter]): LimitCounter => {
      const { at, used, open } = counter;
      return { limit, value, at, used, open };
    });
    return counters.sort((one, other) => weight(other) - weight(one) || other.at - one.at).slice(0, most);
  }

  /** Forgets what was counted, for one value or all of them. Returns for how many. */
  resetLimit(limit: string, value: string | undefined): number {
    const values = this.#limits.get(limit);
    if (values === undefined) return 0;
    const { size } = values;
    if (value === undefined) values.clear();
    else values.delete(value);
    return size - values.size;
  }

  /** Drops counters whose windows have ended, up to `limit`. True if there may be more. */
  sweep(now: number, limit: number): boolean {
    let count = 0;
    for (const [id, values] of this.#limits) {
      for (const [value, { expiresAt }] of values) {
        if (expiresAt > now) break;
        if (count === limit) return true;
        values.delete(value);
        count += 1;
      }
      if (values.size === 0) this.#limits.delete(id);
    }
    return false;
  }
}

function weight({ used, open }: LimitState): number {
  return used + open;
}
