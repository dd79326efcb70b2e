import { setTimeout as sleep } from 'node:timers/promises';
import type { BulkRate } from './rate.ts';

/** Lets things begin at a rate, evenly: after a pause they do not catch up. */
export class Pace {
  readonly #everyMs: number;
  #nextAt = 0;

  constructor({ amount, perMs }: Pick<BulkRate, 'amount' | 'perMs'>) {
    this.#everyMs = perMs / amount;
  }

  /** Resolves when the next one may begin, or when `signal` aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    const waitMs = this.#nextAt - now;
    // A timer that fires late must not lower a rate of many in a millisecond.
    this.#nextAt = Math.max(this.#nextAt, now - lateMs) + this.#everyMs;
    if (waitMs > 0) await pause(waitMs, signal);
  }
}

/** How late a turn may be and still not delay those after it, in milliseconds. */
const lateMs = 20;

/** Resolves after a time, or when `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
