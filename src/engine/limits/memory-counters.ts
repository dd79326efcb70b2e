import type { LimitCounter, LimitState } from '../types/index.ts';
import type { Counters } from './ledger.ts';

interface Counter extends LimitState {
  readonly expiresAt: number;
}

/** Counters in the memory of this process. Their number is bounded by `maxValues` of each limit. */
export class MemoryCounters implements Counters {
  /** The values of each limit, the one that was charged last at the end: those of ended windows are first. */
  readonly #limits = new Map<string, Map<string, Counter>>();
  #toSweep = this.#limits.entries();
  #swept: Swept = nothing;

  get(limit: string, value: string): LimitState | undefined {
    return this.#limits.get(limit)?.get(value);
  }

  set(limit: string, value: string, { at, used, open }: LimitState, expiresAt: number): void {
    const values = this.#limits.get(limit) ?? new Map<string, Counter>();
    this.#limits.set(limit, values);
    // Within a window it keeps its place: its end is the same.
    if (values.get(value)?.at !== at) values.delete(value);
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

  /** Forgets what was counted, for one value or all of them, and keeps what is reserved. Returns for how many. */
  resetLimit(limit: string, value: string | undefined): number {
    const values = this.#limits.get(limit);
    if (values === undefined) return 0;
    let count = 0;
    for (const one of value === undefined ? values.keys() : [value]) {
      const counter = values.get(one);
      if (counter === undefined) continue;
      count += 1;
      if (counter.open > 0) values.set(one, { ...counter, used: 0 });
      else values.delete(one);
    }
    return count;
  }

  /**
   * Drops counters whose windows have ended, in at most `steps` steps, each of which looks at one counter: limits may be as
   * many as triggers. The next call continues where this one ends. True if there may be more at once.
   */
  sweep(now: number, steps: number): boolean {
    if (this.#limits.size === 0) return false;
    let removed = 0;
    // Steps since the last one that removed anything: when all limits have been looked at in vain, nothing is left to remove.
    let idle = 0;
    for (let step = 0; step < steps && idle <= this.#limits.size; step += 1) {
      const [value, counter] = this.#swept.values.entries().next().value ?? none;
      if (counter !== undefined && counter.expiresAt <= now) {
        this.#swept.values.delete(value);
        removed += 1;
        idle = 0;
      } else {
        idle += 1;
        if (this.#swept.values.size === 0) this.#limits.delete(this.#swept.limit);
        this.#swept = this.#nextLimit();
      }
    }
    return removed > 0 && removed >= steps - 1;
  }

  #nextLimit(): Swept {
    let next = this.#toSweep.next();
    if (next.done) {
      this.#toSweep = this.#limits.entries();
      next = this.#toSweep.next();
    }
    return next.done ? nothing : { limit: next.value[0], values: next.value[1] };
  }
}

/** The limit whose counters are being swept. */
interface Swept {
  readonly limit: string;
  readonly values: Map<string, Counter>;
}

const nothing: Swept = { limit: '', values: new Map() };
const none: readonly [string, Counter | undefined] = ['', undefined];

function weight({ used, open }: LimitState): number {
  return used + open;
}
