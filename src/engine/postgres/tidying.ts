import type { Connections } from './connections.ts';
import { inSchema } from './opening.ts';

/** How often expired rows are looked for, in milliseconds, and how many are removed at once. */
const tidyEveryMs = 5000;
const tidyLimit = 200;
/** How often finished runs are counted, in milliseconds. */
const countEveryMs = 60_000;
/** More of them are not counted, which would take long, but estimated as PostgreSQL does it for its plans. */
const mostCounted = 2_000_000;

export interface TidyingOptions {
  readonly schema: string;
  readonly retention: { readonly age: number; readonly count: number };
}

/** Removes what has expired, a little at a time. Of several nodes, one at a time does. */
export class Tidying {
  readonly #connections: Connections;
  readonly #options: TidyingOptions;
  readonly #now: () => number | null;
  readonly #timer: NodeJS.Timeout;
  /** How many finished runs are more than are kept. */
  #excess = 0;
  #countedAt = -Infinity;
  #isBusy = false;
  #isStopped = false;

  constructor(connections: Connections, options: TidyingOptions, now: () => number | null) {
    this.#connections = connections;
    this.#options = options;
    this.#now = now;
    this.#timer = setInterval(() => void this.#tidy(), tidyEveryMs).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  async #tidy(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await this.#count();
      while ((await this.#remove()) >= tidyLimit && !this.#isStopped);
    } catch {
      // The next time.
    } finally {
      this.#isBusy = false;
    }
  }

  async #remove(): Promise<number> {
    const { schema, retention } = this.#options;
    const values = [tidyLimit, retention.age, Math.min(this.#excess, tidyLimit), this.#now()];
    const text = inSchema(schema, 'SELECT {s}.v1_tidy($1, $2, $3, $4) AS removed');
    const [row] = await this.#connections.query<{ removed: number }>('tidy', text, values);
    this.#excess = Math.max(0, this.#excess - tidyLimit);
    return row?.removed ?? 0;
  }

  async #count(): Promise<void> {
    const { schema, retention } = this.#options;
    if (performance.now() - this.#countedAt < countEveryMs) return;
    // Set first: if counting takes too long, removing continues.
    this.#countedAt = performance.now();
    const counted =
      retention.count < mostCounted
        ? `SELECT count(*)::float8 AS count FROM (SELECT 1 FROM {s}.results LIMIT ${mostCounted}) AS some`
        : `SELECT reltuples::float8 AS count FROM pg_class WHERE oid = '{s}.results'::regclass`;
    const [row] = await this.#connections.query<{ count: number }>('count', inSchema(schema, counted), []);
    this.#excess = Math.max(0, (row?.count ?? 0) - retention.count);
  }
}
