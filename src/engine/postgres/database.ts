import { setTimeout as sleep } from 'node:timers/promises';
import type { Connections, Query } from './connections.ts';
import { inSchema } from './opening.ts';
import { asUnavailable, isPassing, isUnanswered } from './pg-error.ts';

export interface DatabaseOptions {
  readonly schema: string;
  /** For how long a step is tried again whose answer was lost, in milliseconds. */
  readonly retryMs: number;
}

/** The tables of a schema, which stands for `{s}` in all SQL here. */
export class Database {
  readonly connections: Connections;
  readonly #options: DatabaseOptions;
  readonly #clock: { now(): number } | undefined;

  /** @param clock undefined: that of the database */
  constructor(connections: Connections, options: DatabaseOptions, clock: { now(): number } | undefined) {
    this.connections = connections;
    this.#options = options;
    this.#clock = clock;
  }

  /** The time as functions take it; null: they read the clock of the database. */
  get now(): number | null {
    return this.#clock?.now() ?? null;
  }

  sql(text: string): string {
    return inSchema(this.#options.schema, text);
  }

  /** Rejects with EngineUnavailable if the database is. */
  query<Row>(name: string, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.connections.query<Row>(name, this.sql(text), values);
  }

  /** As `query`, with the error of the driver. */
  raw<Row>(name: string, text: string, values: NonNullable<Query['values']>): Promise<readonly Row[]> {
    return this.connections.raw<Row>({ name, text: this.sql(text), values });
  }

  /** Tries a step again that finds what it has done before, for as long as its caller can wait. */
  async repeat<Row>(
    step: () => Promise<readonly Row[]>,
    mayRepeat: (error: unknown) => boolean = (error) => isPassing(error) || isUnanswered(error),
  ): Promise<readonly Row[]> {
    const until = performance.now() + this.#options.retryMs;
    for (let delayMs = 10; ; delayMs = Math.min(delayMs * 2, 500)) {
      try {
        return await step();
      } catch (error) {
        if (!mayRepeat(error) || performance.now() + delayMs > until) throw asUnavailable(error);
      }
      await sleep(delayMs);
    }
  }
}
