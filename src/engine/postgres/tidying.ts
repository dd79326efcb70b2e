import type { Database } from './database.ts';

/** How often expired rows are looked for, in milliseconds, and how many are removed at once. */
const tidyEveryMs = 5000;
const tidyLimit = 200;
/** How often finished runs are counted, in milliseconds. */
const countEveryMs = 60_000;
/** More of them are not counted, which would take long, but estimated as PostgreSQL does it for its plans. */
const mostCounted = 2_000_000;

export interface Retention {
  /** Milliseconds. */
  readonly age: number;
  readonly count: number;
}

/** Removes what has expired, a little at a time. Of several nodes, one at a time does. */
export class Tidying {
  readonly #database: Database;
  readonly #retention: Retention;
  readonly #timer: NodeJS.Timeout;
  /** How many finished runs are more than are kept. */
  #excess = 0;
  #countedAt = -Infinity;
  #isBusy = false;
  #isStopped = false;

  constructor(database: Database, retention: Retention) {
    this.#database = database;
    this.#retention = retention;
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
    const values = [tidyLimit, this.#retention.age, Math.min(this.#excess, tidyLimit), this.#database.now];
    const text = 'SELECT {s}.v1_tidy($1, $2, $3, $4) AS removed';
    const [row] = await this.#database.query<{ removed: number }>('tidy', text, values);
    this.#excess = Math.max(0, this.#excess - tidyLimit);
    return row?.removed ?? 0;
  }

  async #count(): Promise<void> {
    const { count } = this.#retention;
    if (performance.now() - this.#countedAt < countEveryMs) return;
    // Set first: if counting takes too long, removing continues.
    this.#countedAt = performance.now();
    this.#excess = 0;
    // Of several nodes one counts, and removes what it has counted.
    const mine = await this.#database.query(
      'counts',
      `INSERT INTO {s}.meta VALUES ('counted', {s}.v1_now(NULL)::text) ON CONFLICT (name) DO UPDATE SET value = excluded.value
         WHERE {s}.meta.value::bigint <= {s}.v1_now(NULL) - $1 RETURNING 1`,
      [countEveryMs],
    );
    if (mine.length === 0) return;
    const counted =
      count < mostCounted
        ? `SELECT count(*)::float8 AS count FROM (SELECT 1 FROM {s}.results LIMIT ${mostCounted}) AS some`
        : `SELECT reltuples::float8 AS count FROM pg_class WHERE oid = '{s}.results'::regclass`;
    const [row] = await this.#database.query<{ count: number }>('count', counted, []);
    this.#excess = Math.max(0, (row?.count ?? 0) - count);
  }
}
