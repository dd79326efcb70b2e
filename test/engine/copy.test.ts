import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { newClaim, newRun } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import type { CopySource, CopyTarget } from '../../src/engine/copy/copied-rows.ts';
import { type CopyCounts, copyStore } from '../../src/engine/copy/copy-store.ts';
import type { OpenedEngine } from '../../src/engine/definition.ts';
import { postgres } from '../../src/engine/postgres/index.ts';
import { createSqliteEngine, type SqliteEngineOptions, sqlite } from '../../src/engine/sqlite/index.ts';
import { command, startCommand } from '../support/command.ts';
import { skipWithoutPostgres } from '../support/postgres.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';
import { allRows, shown } from './copy/contents.ts';
import { fill } from './copy/filled-store.ts';
import { defaults, journal } from './journal.ts';
import { type TestDatabase, testDatabase } from './postgres/database.ts';

const noSchema = { schema: undefined };

async function newPath(t: Test, name = 'pullcord.db'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-copy-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, name);
}

function openJournal(path: string, options: Partial<SqliteEngineOptions> = {}): Promise<OpenedEngine> {
  return createSqliteEngine({ ...defaults, path, ...options }, { log: recordingLog() });
}

function sourceOf(kind: 'sqlite' | 'postgres', address: string): Promise<CopySource> {
  const { copying } = kind === 'sqlite' ? sqlite : postgres;
  return copying === undefined ? Promise.reject(new Error('no copying')) : copying.openSource(address, noSchema);
}

function targetOf(kind: 'sqlite' | 'postgres', address: string): Promise<CopyTarget> {
  const { copying } = kind === 'sqlite' ? sqlite : postgres;
  return copying === undefined ? Promise.reject(new Error('no copying')) : copying.openTarget(address, noSchema);
}

type Place = readonly ['sqlite' | 'postgres', string];

async function copy(from: Place, to: Place, onBatch: () => void = () => {}): Promise<CopyCounts> {
  const source = await sourceOf(...from);
  try {
    const target = await targetOf(...to);
    try {
      return await copyStore(source, target, onBatch);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

function copied(counts: CopyCounts): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, { copied }]) => [name, copied]));
}

function present(counts: CopyCounts): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, { alreadyThere }]) => [name, alreadyThere]));
}

/** What the engine shows of a store, which is closed again. */
async function shownBy(opening: Promise<OpenedEngine>) {
  const opened = await opening;
  const all = await shown(opened);
  await opened.engine.close(0);
  return all;
}

t.test('a store of all states is the same in postgres, and in a journal again', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  for (const seed of [1, 2]) {
    await database.empty();
    const [path, back] = [await newPath(t), await newPath(t)];
    const runs = await fill(await openJournal(path), 320, seed);
    const rows = await allRows(await sourceOf('sqlite', path));
    t.ok(runs.length > 300);
    const counts = await copy(['sqlite', path], ['postgres', database.url]);
    t.ok(
      Object.values(copied(counts)).every((count) => count > 0),
      JSON.stringify(counts),
    );
    t.strictSame(await allRows(await sourceOf('postgres', database.url)), rows);
    const again = await copy(['sqlite', path], ['postgres', database.url]);
    t.strictSame(present(again), copied(counts));
    t.ok(Object.values(copied(again)).every((count) => count === 0));
    t.strictSame(await allRows(await sourceOf('postgres', database.url)), rows);

    const backCounts = await copy(['postgres', database.url], ['sqlite', back]);
    t.strictSame(copied(backCounts), copied(counts));
    t.strictSame(await allRows(await sourceOf('sqlite', back)), rows);
    t.strictSame(present(await copy(['postgres', database.url], ['sqlite', back])), copied(counts));

    const inPostgres = await shownBy(database.open());
    t.strictSame(await shownBy(openJournal(back)), inPostgres);
    const atFirst = await shownBy(openJournal(path));
    const isInterrupted = new Set(atFirst.runs.filter(({ state }) => state === 'running').map(({ id }) => id));
    const others = ({ runs, ...rest }: typeof atFirst) => ({
      ...rest,
      runs: runs.filter(({ id }) => !isInterrupted.has(id)),
      got: rest.got.filter((run) => run !== undefined && !isInterrupted.has(run.id)),
    });
    t.equal(isInterrupted.size, 1);
    t.strictSame(others(inPostgres), others(atFirst));
  }
});

/** Opens an engine at a place, as a gateway does. */
function open([kind, address]: Place, database: TestDatabase): Promise<OpenedEngine> {
  return kind === 'sqlite' ? openJournal(address) : database.open({ lease: 1000 });
}

const oneAtATime = { concurrencyOf: () => ({ limit: 1, isPerValue: false }) };
const clock = { now: Date.now, advance() {} };

for (const [from, to] of [
  ['sqlite', 'postgres'],
  ['postgres', 'sqlite'],
] as const) {
  t.test(`${to} goes on where ${from} has stopped`, { skip: skipWithoutPostgres }, async (t) => {
    const database = await testDatabase(t);
    const placeOf = async (kind: 'sqlite' | 'postgres'): Promise<Place> =>
      kind === 'sqlite' ? [kind, await newPath(t)] : [kind, database.url];
    const [source, target] = [await placeOf(from), await placeOf(to)];
    const before = await open(source, database);
    const worker = new Worker();
    await before.engine.start({ ...oneAtATime, execute: worker.execute, notify: () => 20 });
    const run = (changes: Parameters<typeof newRun>[1] = {}) => newRun({ clock }, changes);
    const policy = { keep: 'metadata', mask: [], sessionTtlMs: 3_600_000, notify: true } as const;
    const first = run({ sessionId: 'a session', policy });
    await before.engine.submit(first, newClaim({ fingerprint: 'first' }));
    (await worker.started(first.id)).settle({ ...success, memory: { turns: 3 } });
    await before.engine.wait(first.id, 60_000);
    const executed = run();
    await before.engine.submit(executed, newClaim({ fingerprint: 'executed', windowMs: 1 }));
    await (await worker.started(executed.id)).save({ handle: 7 });
    const queued = [run({ sessionId: 'a session' }), run(), run({ sessionId: 'a session' }), run(), run()];
    for (const [index, one] of queued.entries()) {
      await before.engine.submit(one, newClaim({ fingerprint: `queued ${index}`, windowMs: 3_600_000 }));
    }
    const burst = run({ trigger: 'bursts', debounce: { key: 'a burst', waitMs: 3_600_000, maxMs: 3_600_000 } });
    await before.engine.submit(burst, undefined);
    await before.engine.close(0);

    await copy(source, target);
    const after = await open(target, database);
    t.teardown(() => after.engine.close(0));
    t.match(await after.engine.get(executed.id), {
      ...{ state: 'queued', interruptions: 0 },
      failedAttempts: [{ attempt: 1, message: 'the gateway stopped' }],
    });
    const duplicate = (fingerprint: string) => after.engine.submit(run(), newClaim({ fingerprint }));
    t.strictSame(await duplicate('first'), { kind: 'duplicate', runId: first.id });
    t.strictSame(await duplicate('executed'), { kind: 'duplicate', runId: executed.id });
    t.strictSame(await duplicate('queued 1'), { kind: 'duplicate', runId: queued[1]?.id });
    const next = new Worker();
    const notified = Promise.withResolvers<unknown>();
    await after.engine.start({
      ...{ ...oneAtATime, execute: next.execute },
      notify(record) {
        if (record.id === first.id) notified.resolve(record.output);
        return undefined;
      },
    });
    const resumed = await next.started(executed.id);
    t.strictSame([resumed.run.attempt, resumed.checkpoint], [2, { handle: 7 }]);
    resumed.settle(success);
    const [inSession, ...others] = queued;
    const attempt = await next.started(inSession?.id ?? '');
    t.strictSame(attempt.session?.memory, { turns: 3 });
    attempt.settle(success);
    await Promise.all(others.map(async ({ id }) => (await next.started(id)).settle(success)));
    // Engines differ in where a run lines up that waited for its session.
    for (const sessionId of [undefined, 'a session']) {
      const expected = [executed, ...queued].filter((one) => one.sessionId === sessionId);
      const started = next.attempts.filter((one) => one.run.sessionId === sessionId);
      t.strictSame(
        started.map(({ run: { id } }) => id),
        expected.map(({ id }) => id),
        'in line',
      );
    }
    t.strictSame(await notified.promise, success.output, 'the callback has the output that the policy does not keep');
    t.match(await after.engine.get(burst.id), { state: 'queued', attempt: 0 });
  });
}

t.test('a masked run that waits fails as it would at the start of its gateway', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const path = await newPath(t);
  const before = await openJournal(path);
  const policy = { keep: 'full', mask: ['/secret'], sessionTtlMs: 1000, notify: false } as const;
  const run = newRun({ clock }, { policy, startsAt: Date.now() + 3_600_000 });
  await before.engine.start({ execute: () => success });
  await before.engine.submit(run, newClaim());
  await before.engine.close(0);
  await copy(['sqlite', path], ['postgres', database.url]);
  const { engine } = await database.open({ lease: 1000 });
  t.teardown(() => engine.close(0));
  await engine.start({ execute: () => success });
  t.match(await engine.wait(run.id, 60_000), { state: 'failed', failure: { message: /masked parts/ } });
  const again = newRun({ clock });
  t.equal((await engine.submit(again, newClaim())).kind, 'accepted', 'its claim is released');
});

t.test('runs of a gateway that has died count its death', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const files = await journal(t);
  const { engine } = await files.open();
  const worker = new Worker();
  await engine.start({ execute: worker.execute });
  const run = newRun({ clock });
  await engine.submit(run, undefined);
  await worker.started(run.id);
  const { path } = await files.afterDeath();
  await copy(['sqlite', path], ['postgres', database.url]);
  const died = { state: 'queued', interruptions: 1, failedAttempts: [{ attempt: 1, message: 'the gateway died' }] };
  const shared = await database.open();
  t.match(await shared.engine.get(run.id), died);
  await shared.engine.close(0);
  await database.query(
    `UPDATE pullcord.queue SET phase = 'running', attempt = 2, started_at = 5, owner = gen_random_uuid()`,
  );
  const back = await newPath(t);
  await copy(['postgres', database.url], ['sqlite', back]);
  const moved = await openJournal(back);
  t.match(await moved.engine.get(run.id), { ...died, interruptions: 2, failedAttempts: [{}, { attempt: 2, startedAt: 5 }] });
  await moved.engine.close(0);
  worker.attempts[0]?.settle(success);
});

t.test('a copy that was cut short after any batch is completed by the next', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const path = await newPath(t);
  await fill(await openJournal(path), 160);
  const expected = await allRows(await sourceOf('sqlite', path));
  for (let last = 0, isComplete = false; !isComplete; last += 1) {
    await database.empty();
    let batches = 0;
    const cut = copy(['sqlite', path], ['postgres', database.url], () => {
      batches += 1;
      if (batches > last) throw new Error('cut short');
    });
    isComplete = await cut.then(
      () => true,
      () => false,
    );
    const { pendingRuns } = await copy(['sqlite', path], ['postgres', database.url]);
    t.ok(pendingRuns.copied + pendingRuns.alreadyThere > 0);
    t.strictSame(await allRows(await sourceOf('postgres', database.url)), expected, `after ${last} batches`);
  }
});

t.test('a process that is killed while it copies leaves nothing that the next has to clean up', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const path = await newPath(t);
  const { engine } = await openJournal(path);
  await engine.start({ execute: () => success });
  const input = { environment: 'api', language: 'en', instruction: 'x'.repeat(400_000) };
  const runs = Array.from({ length: 60 }, () => newRun({ clock }, { input }));
  await Promise.all(runs.map((run) => engine.submit(run, undefined)));
  await Promise.all(runs.map(({ id }) => engine.wait(id, 60_000)));
  await engine.close(0);
  // The table is there for the test to look at.
  await (await targetOf('postgres', database.url)).close();
  const args = ['engine', 'copy', '--from', `sqlite:${path}`, '--to', `postgres:${database.url}`];
  const child = startCommand(t, args);
  const ended = once(child, 'exit');
  await until(async () => {
    const [row] = await database.query('SELECT count(*)::int AS count FROM pullcord.runs');
    return Number(row?.count) > 0 || child.exitCode !== null ? true : undefined;
  });
  child.kill('SIGKILL');
  await ended;
  const next = await command(t, [...args, '--json']);
  t.equal(next.code, 0, next.stderr);
  const { finishedRuns } = JSON.parse(next.stdout);
  t.comment(JSON.stringify(finishedRuns));
  t.equal(finishedRuns.copied + finishedRuns.alreadyThere, runs.length);
  t.strictSame(await allRows(await sourceOf('postgres', database.url)), await allRows(await sourceOf('sqlite', path)));
});

t.test('what a target has is kept, and an older copy is refused', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const path = await newPath(t);
  const worker = new Worker();
  const start = async () => {
    const opened = await openJournal(path);
    await opened.engine.start({ execute: worker.execute });
    return opened.engine;
  };
  const before = await start();
  const run = newRun({ clock });
  await before.submit(run, newClaim({ keepOnFailure: false }));
  await worker.started(run.id);
  await before.close(0);
  await copy(['sqlite', path], ['postgres', database.url]);

  const { engine } = await database.open();
  await engine.start({ execute: () => ({ kind: 'failed', message: 'no', retryable: false }) });
  await engine.wait(run.id, 60_000);
  await engine.close(0);
  const { claims, pendingRuns } = await copy(['sqlite', path], ['postgres', database.url]);
  t.strictSame([claims, pendingRuns], [{ copied: 0, alreadyThere: 1 }, { copied: 0, alreadyThere: 1 }]);
  const shared = await database.open();
  t.match(await shared.engine.get(run.id), { state: 'failed' });
  t.equal((await shared.engine.submit(newRun({ clock }), newClaim())).kind, 'accepted', 'a released claim stays released');
  await shared.engine.close(0);

  await t.rejects(copy(['postgres', database.url], ['sqlite', path]), { message: /an older copy; choose a new one/ });
});

t.test('a store that somebody uses is not copied', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const path = await newPath(t);
  const args = ['engine', 'copy', '--from', `sqlite:${path}`, '--to', `postgres:${database.url}`];
  const back = ['engine', 'copy', '--to', `sqlite:${path}`, '--from', `postgres:${database.url}`];
  const journalEngine = await openJournal(path);
  for (const given of [args, back]) {
    const { code, stderr, stdout } = await command(t, given);
    t.equal(code, 1);
    t.equal(stdout, '');
    t.match(stderr, given === args ? /another process.* is using/ : /no schema pullcord of Pullcord/);
  }
  await journalEngine.engine.close(0);
  const shared = await database.open();
  await shared.engine.start({ execute: () => success });
  for (const given of [args, back]) {
    const { code, stderr } = await command(t, given);
    t.equal(code, 1);
    t.match(stderr, /gateways are using the schema pullcord \(.*\): stop them first; .* within \d s/);
  }
  await shared.engine.close(0);
  // Only one copy at a time; and no node starts meanwhile.
  const target = await targetOf('postgres', database.url);
  await t.rejects(sourceOf('postgres', database.url), { message: /in use, perhaps by another copy/ });
  await target.close();
  t.equal((await command(t, args)).code, 0);
});

t.test('a journal of an earlier version, and what is no store, is not copied', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const path = await newPath(t);
  await (await openJournal(path)).engine.close(0);
  {
    using earlier = new DatabaseSync(path);
    earlier.exec('PRAGMA user_version = 12');
  }
  const to = { DATABASE_URL: database.url };
  const copyFrom = (from: string) =>
    command(t, ['engine', 'copy', '--from', from, '--to', 'postgres:env:DATABASE_URL'], { env: to });
  t.match(await copyFrom(`sqlite:${path}`), { code: 1, stderr: /earlier version .*pullcord runs list.* migrates it/ });
  t.match(await copyFrom(`sqlite:${path}.missing`), { code: 1, stderr: /does not exist/ });
  t.match(await copyFrom(`sqlite:${import.meta.filename}`), { code: 1, stderr: /is not a Pullcord journal/ });
  t.match(await copyFrom('memory:x'), { code: 1, stderr: /the memory engine keeps data only/ });
  t.match(await copyFrom('redis:x'), { code: 1, stderr: /no such engine/ });
  t.match(await copyFrom('postgres:env:DATABASE_URL'), { code: 1, stderr: /both stores of the postgres engine/ });
  await database.query('CREATE SCHEMA earlier; CREATE TABLE earlier.meta (name text, value text)');
  const earlier = ['engine', 'copy', '--from', database.url, '--schema', 'earlier', '--to', `sqlite:${path}.new`];
  t.match(await command(t, earlier), { code: 1, stderr: /schema earlier was written by an earlier version/ });
});
