import { EngineUnavailable } from '../types/index.ts';

/** How long a list waits for its turn, in milliseconds. */
const patienceMs = 5000;

/** Bounds how many lists are read at once: they may be slow, and the steps of runs need connections meanwhile. */
export class ListGate {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(most: number) {
    this.#free = most;
  }

  /** Rejects with EngineUnavailable if too many others are being read. */
  async read<T>(list: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn();
    try {
      return await list();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  #turn(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const begin = (): void => {
      clearTimeout(timer);
      this.#waiting.delete(begin);
      resolve();
    };
    const timer = setTimeout(() => {
      this.#waiting.delete(begin);
      reject(new EngineUnavailable('the database is busy with other lists'));
    }, patienceMs);
    this.#waiting.add(begin);
    return promise;
  }
}
