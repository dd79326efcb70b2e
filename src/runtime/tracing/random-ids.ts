import { randomFillSync } from 'node:crypto';

/**
 * Ids of traces and spans. Randomness is asked for in bulk, and written as text in bulk: a call for each id would cost more than all
 * else about a span. An id that is kept may hold on to its pool, which is therefore small.
 */
export class RandomIds {
  readonly #bytes = Buffer.alloc(1024);
  #digits = '';
  #used = 0;

  /** 32 hexadecimal digits. */
  traceId(): string {
    return this.#next(32);
  }

  /** 16 hexadecimal digits. */
  spanId(): string {
    return this.#next(16);
  }

  #next(digits: number): string {
    if (this.#used + digits > this.#digits.length) {
      this.#digits = randomFillSync(this.#bytes).toString('hex');
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += digits;
    return this.#digits.slice(from, this.#used);
  }
}
