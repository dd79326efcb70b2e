import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import type { Engine, RunRecord } from '../../src/contract/index.ts';
import { keepAll, newClaim, newRun } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import { type ConformanceHarness, conformanceCases } from '../../src/engine/conformance.ts';
import { createSqliteEngine, type SqliteEngineOptions } from '../../src/engine/sqlite/index.ts';
import { recordingLog, until } from '../support/gateway.ts';
import { checkAgainstModel, type ModelHarness } from './model.ts';

const defaults: Omit<SqliteEngineOptions, 'path'> = {
  concurrency: 10_000,
  maxQueued: 10_000,
  retention: { age: 3_600_000, count: 10_000 },
};

type Options = Partial<SqliteEngineOptions>;

async function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'pullcord-'));
}

async function openAt(path: string, options: Options = {}): Promise<ConformanceHarness> {
  let now = 1_700_000_000_000;
  const clock = {
    now: () => now,
    advance(ms: number) {
      now += ms;
    },
  };
  return { engine: await createSqliteEngine({ ...defaults, path, ...options }, { log: recordingLog() }, clock), clock };
}

async function openNew(): Promise<ConformanceHarness> {
  const folder = await newFolder();
  return { ...(await openAt(join(folder, 'pullcord.db'))), dispose: () => rm(folder, { recursive: true }) };
}

/** A journal's path in a folder that goes with the test, and engines on it that are closed with it. */
async function journal(t: Test): Promise<{ path: string; open(options?: Options): Promise<ConformanceHarness> }> {
  const folder = await newFolder();
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'deep', 'pullcord.db');
  return {
    path,
    async open(options) {
      const harness = await openAt(path, options);
      t.teardown(() => harness.engine.close(0));
      return harness;
    },
  };
}

async function submit({ engine }: ConformanceHarness, ...args: Parameters<Engine['submit']>): Promise<string> {
  return (await engine.submit(...args)).kind;
}

t.test('does what every engine must do', (t) => {
  for (const { name, run } of conformanceCases) t.test(name, () => run(openNew));
  t.end();
});

t.test('does what a plain model does, whatever the order of calls and restarts', () => {
  const never = Number.POSITIVE_INFINITY;
  const openModel = async (): Promise<ModelHarness> => {
    const folder = await newFolder();
    const path = join(folder, 'pullcord.db');
    const { engine, clock } = await openAt(path);
    const reopen = async () => ({
      engine: await createSqliteEngine({ ...defaults, path }, { log: recordingLog() }, clock),
      clock,
    });
    return { engine, clock, reopen, dispose: () => rm(folder, { recursive: true }) };
  };
  return checkAgainstModel(
    openModel,
    { maxQueued: never, maxFinished: never, keepFinished: never, maxClaims: never },
    4,
  );
});

t.test(
  'takes up what had not ended when it was stopped: same id, higher attempt, claims and sessions kept',
  async (t) => {
    const { open } = await journal(t);
    const before = await open({ concurrency: 1 });
    const worker = new Worker();
    await before.engine.start(worker);
    const inSession = { sessionId: 'conversation 1' };
    const finished = newRun(before, inSession);
    await submit(before, finished, newClaim({ fingerprint: 'finished' }));
    (await worker.started(finished.id)).settle({ ...success, memory: ['hello'] });
    await before.engine.wait(finished.id, 10_000);
    const [running, queued] = [newRun(before, inSession), newRun(before)];
    await submit(before, running, newClaim());
    await submit(before, queued, undefined);
    const { signal } = await worker.started(running.id);
    await before.engine.close(1);
    t.equal(signal.aborted, true);

    const after = await open();
    const resumed = new Worker();
    t.match(await after.engine.get(finished.id), { state: 'succeeded', output: success.output });
    t.strictSame(await after.engine.submit(newRun(after), newClaim()), { kind: 'duplicate', runId: running.id });
    await after.engine.start(resumed);
    const again = await resumed.started(running.id);
    t.match(again.run, {
      attempt: 2,
      input: running.input,
      failedAttempts: [{ attempt: 1, message: 'the gateway stopped' }],
    });
    t.strictSame(again.session?.memory, ['hello']);
    const first = await resumed.started(queued.id);
    t.match(first.run, { attempt: 1, failedAttempts: [] });
    again.settle(success);
    t.match(await after.engine.wait(running.id, 10_000), { state: 'succeeded', attempt: 2 });
    t.strictSame(await after.engine.submit(newRun(after), newClaim({ fingerprint: 'finished' })), {
      kind: 'duplicate',
      runId: finished.id,
    });
  },
);

t.test('fails what it cannot take up since parts of the input were masked, and lets go of its claim', async (t) => {
  const { open, path } = await journal(t);
  const before = await open();
  const input = { environment: 'api', language: 'en', card: 'card 4111' };
  const run = newRun(before, { input, policy: { ...keepAll, mask: ['/card'] } });
  await submit(before, run, newClaim());
  await before.engine.close(0);
  const database = new DatabaseSync(path, { readOnly: true });
  t.notMatch(JSON.stringify(database.prepare('SELECT * FROM runs').all()), 'card 4111');
  database.close();

  const after = await open();
  await after.engine.start(new Worker());
  t.match(await after.engine.wait(run.id, 10_000), { state: 'failed', failure: { retryable: true } });
  t.equal(await submit(after, newRun(after), newClaim()), 'accepted');
});

t.test('tells of what ended before a restart, if nobody was told', async (t) => {
  const { open } = await journal(t);
  const before = await open();
  const run = newRun(before, { policy: { ...keepAll, keep: 'metadata', notify: true } });
  await before.engine.start({ execute: () => success, notify: () => 3_600_000 });
  await submit(before, run, undefined);
  await before.engine.wait(run.id, 10_000);
  await before.engine.close(0);

  const after = await open();
  after.clock.advance(2 * 3_600_000);
  const told = Promise.withResolvers<[RunRecord, number]>();
  await after.engine.start({
    execute: () => success,
    notify: (record, attempt) => told.resolve([record, attempt]) ?? undefined,
  });
  const [record, attempt] = await told.promise;
  t.match(record, { id: run.id, state: 'succeeded', output: success.output });
  t.ok(attempt >= 1);
  await until(async () => (await after.engine.get(run.id))?.output === undefined);
});

t.test('is for one process at a time', async (t) => {
  const { open, path } = await journal(t);
  const { engine } = await open();
  await t.rejects(open(), { message: `another process (${process.pid}) uses ${path}` });
  await engine.close(0);
  await open();
});

t.test('says why a file cannot be its journal, and leaves it alone', async (t) => {
  const folder = await newFolder();
  t.teardown(() => rm(folder, { recursive: true }));
  const foreign = join(folder, 'foreign.db');
  const later = join(folder, 'later.db');
  const text = join(folder, 'text.db');
  const database = new DatabaseSync(foreign);
  database.exec('CREATE TABLE t (a)');
  database.close();
  await (await openAt(later)).engine.close(0);
  const changed = new DatabaseSync(later);
  changed.exec('PRAGMA user_version = 99');
  changed.close();
  await writeFile(text, 'no database, but long enough to be looked at. '.repeat(100));
  await t.rejects(openAt(foreign), { message: `${foreign} is a database, but no journal of Pullcord` });
  await t.rejects(openAt(later), {
    message: `${later} was written by a later version of Pullcord (journal version 99)`,
  });
  await t.rejects(openAt(text), /not a database/);
  await t.rejects(openAt(join(text, 'below-a-file.db')), /ENOTDIR|EEXIST/);
});

t.test('when it may not grow, refuses, claims nothing, and goes on by itself when there is room', async (t) => {
  const { open } = await journal(t);
  const harness = await open({ maxSize: 512 * 1024 });
  const { engine } = harness;
  const worker = new Worker();
  await engine.start(worker);
  const input = { environment: 'api', language: 'en', text: 'x'.repeat(50_000) };
  const big = () => newRun(harness, { input, policy: { ...keepAll, keep: 'none' } });
  const accepted = [];
  for (;;) {
    const run = big();
    const submission = await engine.submit(run, newClaim({ fingerprint: run.id }));
    if (submission.kind !== 'accepted') {
      t.match(submission, { kind: 'unavailable', reason: /maxSize/ });
      t.equal(await engine.get(run.id), undefined);
      break;
    }
    accepted.push(run);
  }
  t.ok(accepted.length > 2);
  t.match(await engine.submit(big(), newClaim()), { kind: 'unavailable' });
  for (const run of accepted) (await worker.started(run.id)).settle(success);
  for (const run of accepted) await until(async () => (await engine.get(run.id)) === undefined);
  t.equal(await submit(harness, big(), newClaim()), 'accepted', 'the claim was not kept');
});

t.test('forgets finished runs by age and by number, claims and sessions by their time', async (t) => {
  const { open, path } = await journal(t);
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const harness = await open({ retention: { age: 1000, count: 2 } });
  const { engine, clock } = harness;
  await engine.start({ execute: () => ({ ...success, memory: 'here' }) });
  const runs = Array.from({ length: 5 }, (_, index) => ({
    run: newRun(harness, { sessionId: `${index}`, policy: { ...keepAll, sessionTtlMs: 1000 } }),
    claim: newClaim({ fingerprint: `${index}`, windowMs: 1000 }),
  }));
  for (const { run, claim } of runs) {
    await submit(harness, run, claim);
    await until(async () => (await engine.get(run.id))?.state === 'succeeded');
    clock.advance(1);
  }
  const ids = async () => (await engine.list({ limit: 10 })).map(({ id }) => id);
  const tidied = (expected: readonly string[]) =>
    until(async () => {
      mock.timers.tick(10_000);
      return (await ids()).join() === expected.join();
    });
  await tidied([runs[4]?.run.id ?? '', runs[3]?.run.id ?? '']);
  clock.advance(1000);
  await tidied([]);
  await engine.close(0);
  const database = new DatabaseSync(path, { readOnly: true });
  for (const table of ['claims', 'sessions', 'runs']) {
    t.strictSame({ ...database.prepare(`SELECT count(*) AS count FROM ${table}`).get() }, { count: 0 }, table);
  }
  database.close();
});
