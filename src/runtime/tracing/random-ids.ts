import { randomFillSync } from 'node:crypto';

/** Ids of traces and spans. Randomness is asked for in bulk: a call for each id would cost more than all else about a span. */
export class RandomIds {
  readonly #pool = Buffer.alloc(4096);
  #used = this.#pool.length;

  /** 32 hexadecimal digits. */
  traceId(): string {
    return this.#next(16);
  }

  /** 16 hexadecimal digits. */
  spanId(): string {
    return this.#next(8);
  }

  #next(bytes: number): string {
    if (this.#used + bytes > this.#pool.length) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += bytes;
    return this.#pool.toString('hex', from, this.#used);
  }
}
