import pg from 'pg';
import { until } from '../../../src/engine/conformance/harness.ts';
import type { ConformanceHarness } from '../../../src/engine/conformance.ts';
import type { OpenedEngine } from '../../../src/engine/definition.ts';
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
  'nodes, revisions, lanes, runs, queue, joined, results, claims, conversations, uses, counters, counted_values, notifications, completions, recordings, audit, notes';

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
  const cleaner = new pg.Client(url);
  // The server ends first.
  cleaner.on('error', () => undefined);
  await cleaner.connect();
  return {
    server,
    url,
    query: (sql) => server.query(sql, url),
    async empty() {
      const { rows } = await cleaner.query("SELECT to_regclass('pullcord.meta') IS NOT NULL AS there");
      // TRUNCATE would make new files of all of them, and flush them.
      if (rows[0].there) await cleaner.query(tables.replace(/(\w+),?/g, 'DELETE FROM pullcord.$1;'));
    },
    open: (options = {}, clock) =>
      createPostgresEngine(
        { ...defaults, url, ...options },
        { log: recordingLog(), resolvePath: (path) => path, node: { name: 'test', version: '0' } },
        clock,
      ),
  };
}

/** A time of day that only a test moves. */
function testClock() {
  let now = 1_700_000_000_000;
  return {
    now: () => now,
    advance(ms: number) {
      now += ms;
    },
  };
}

const accepting = () => ({ revision: 'accepting', commit: undefined, isDirty: false, keyDigest: '' });

/** A short lease: nodes learn of each other, and of what is queued, with each beat. */
const lease = 3000;

/** An empty engine for a case of the conformance kit. */
export async function openOne(database: TestDatabase, options?: Options): Promise<ConformanceHarness> {
  await database.empty();
  const clock = testClock();
  const opened = await database.open({ lease, ...options }, clock);
  return { ...opened, clock, noticed: () => noticed(database, opened.engine, clock) };
}

/**
 * Two engines on one store: runs are submitted to one, and everything else is asked of the other. Runs with masks are submitted to
 * the other too: only the node that has accepted one can execute it.
 */
export async function openTwo(database: TestDatabase, options?: Options): Promise<ConformanceHarness> {
  await database.empty();
  const clock = testClock();
  const [first, second] = await Promise.all([
    database.open({ lease, ...options }, clock),
    database.open({ lease, ...options }, clock),
  ]);
  let isStarted = false;
  const differing: Partial<Engine> = {
    submit: (run, claim, limits) => (run.policy.mask.length > 0 ? second : first).engine.submit(run, claim, limits),
    async start(executor) {
      isStarted = true;
      // The first executes nothing, but what its submissions end is for it to report. Its revision is another one: nodes of the
      // same one would agree that nobody serves these triggers.
      if (executor.ended !== undefined)
        await first.engine.start({ ...executor, serves: () => false, describe: accepting });
      await second.engine.start(executor);
    },
    // A node that has neither submitted nor executed anything is not one of the cluster, and knows nothing of the others.
    load: () => (isStarted ? second : first).engine.load(),
    async close(drainMs) {
      await Promise.all([first.engine.close(drainMs), second.engine.close(drainMs)]);
    },
  };
  const engine: Engine = new Proxy(second.engine, {
    get(target, name) {
      if (name in differing) return Reflect.get(differing, name);
      const member = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const { recordings, audit, notes } = second;
  return { engine, recordings, audit, notes, clock, noticed: () => noticed(database, second.engine, clock) };
}

/** Waits until a node has looked at the runs whose time has come. */
async function noticed(database: TestDatabase, engine: Engine, clock: { now(): number }): Promise<void> {
  engine.reconsider();
  await until(async () => {
    const due = await database.query(`SELECT 1 FROM pullcord.queue WHERE phase = 'held' AND due <= ${clock.now()}`);
    return due.length === 0 || undefined;
  });
}
