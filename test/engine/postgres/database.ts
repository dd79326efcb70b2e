import type { OpenedEngine } from '../../../src/engine/definition.ts';
import type { ConformanceHarness } from '../../../src/engine/conformance.ts';
import { createPostgresEngine, type PostgresEngineOptions } from '../../../src/engine/postgres/index.ts';
import type { Engine } from '../../../src/engine/types/index.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { recordingLog } from '../../support/recording-log.ts';

export const defaults: Omit<PostgresEngineOptions, 'url'> = {
  schema: 'pullcord',
  pool: 4,
  lease: 8000,
  onPartition: 'abort',
  concurrency: 10_000,
  maxQueued: 10_000,
  maxInterruptions: 3,
  retention: { age: 3_600_000, count: 10_000 },
};

export type Options = Partial<PostgresEngineOptions>;

const tables =
  'nodes, revisions, lanes, runs, queue, results, claims, conversations, uses, counters, counted_values, notifications, completions, recordings';

/** A database for a test file, and engines on it. */
export interface TestDatabase {
  readonly server: PostgresServer;
  readonly url: string;
  /** Runs SQL in it. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  /** Removes what earlier tests have left, and keeps the tables. */
  empty(): Promise<void>;
  open(options?: Options, clock?: { now(): number }): Promise<OpenedEngine>;
}

export async function testDatabase(owner: Parameters<typeof startPostgres>[0]): Promise<TestDatabase> {
  const server = await startPostgres(owner);
  const url = await server.createDatabase();
  const query = (sql: string) => server.query(sql, url);
  return {
    server,
    url,
    query,
    async empty() {
      const [row] = await query("SELECT to_regclass('pullcord.meta') IS NOT NULL AS there");
      if (row?.there === true) await query(`TRUNCATE ${tables.replace(/\w+/g, 'pullcord.$&')}`);
    },
    open: (options = {}, clock) =>
      createPostgresEngine(
        { ...defaults, url, ...options },
        { log: recordingLog(), resolvePath: (path) => path, node: { name: 'test', version: '0' } },
        clock,
      ),
  };
}

function testClock() {
  let now = 1_700_000_000_000;
  return {
    now: () => now,
    advance(ms: number) {
      now += ms;
    },
  };
}

/** An empty engine for a case of the conformance kit. */
export async function openOne(database: TestDatabase, options?: Options): Promise<ConformanceHarness> {
  await database.empty();
  const clock = testClock();
  return { ...(await database.open(options, clock)), clock };
}

/** Two engines on one store: runs are submitted to one, and everything else is asked of the other. */
export async function openTwo(database: TestDatabase, options?: Options): Promise<ConformanceHarness> {
  await database.empty();
  const clock = testClock();
  const [submitter, other] = await Promise.all([database.open(options, clock), database.open(options, clock)]);
  const engine: Engine = new Proxy(other.engine, {
    get(target, name) {
      if (name === 'submit') return submitter.engine.submit.bind(submitter.engine);
      if (name === 'close') {
        return async (drainMs: number) => {
          await Promise.all([submitter.engine.close(drainMs), target.close(drainMs)]);
        };
      }
      const member = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return { engine, recordings: other.recordings, clock };
}
