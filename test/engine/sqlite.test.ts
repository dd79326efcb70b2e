import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { mock } from 'node:test';
import { promisify } from 'node:util';
import t from 'tap';
import { keepAll, newClaim, newRequest, newRun, unbounded, wide } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import { type ConformanceHarness, conformanceCases } from '../../src/engine/conformance.ts';
import { createSqliteEngine } from '../../src/engine/sqlite/index.ts';
import { readRecordings } from '../../src/engine/sqlite/read-recordings.ts';
import { recoverJournal } from '../../src/engine/sqlite/recovery/recover.ts';
import { RunTables } from '../../src/engine/sqlite/run-tables.ts';
import {
  AttemptReleased,
  type Engine,
  EngineUnavailable,
  type NewRecording,
  type NewRun,
  type RecordedRequest,
  type RecordingBounds,
  type RunRecord,
} from '../../src/engine/types/index.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';
import { defaults, journal, newFolder, openAt, openNew } from './journal.ts';
import { checkAgainstModel, type ModelHarness } from './model.ts';

async function submit({ engine }: ConformanceHarness, ...args: Parameters<Engine['submit']>): Promise<string> {
  return (await engine.submit(...args)).kind;
}

/** Records, along with a read, for which the journal does not let it wait. */
async function record(
  { recordings }: ConformanceHarness,
  requests: readonly (RecordedRequest | NewRecording)[],
  bounds: RecordingBounds = wide,
): Promise<void> {
  const given = requests.map((one) => ('request' in one ? one : unbounded(one)));
  await Promise.all([recordings?.record(given, bounds), recordings?.get('')]);
}

async function recordedIn({ recordings }: ConformanceHarness): Promise<readonly RecordedRequest[]> {
  return (await recordings?.list({ order: 'oldest', limit: 10_000 })) ?? [];
}

/** A request of today, as it is read with the time of day and not with that of a test. */
function requestOfToday(harness: ConformanceHarness, changes: Partial<RecordedRequest> = {}): RecordedRequest {
  return newRequest(harness, { receivedAt: Date.now(), ...changes });
}

function change(path: string, sql: string): void {
  using database = new DatabaseSync(path);
  database.exec(sql);
}

const costColumns = ['model', 'cached_tokens', 'reasoning_tokens', 'cost', 'currency'];
const burstColumns = ['burst_key', 'burst_starts_at', 'burst_ends_at'];
const flowColumns = ['concurrency_value', 'starts_at'];

/** As a version whose sessions were shared by all callers of a trigger left it. */
function makeVersion4(path: string): void {
  change(
    path,
    'DROP TABLE notes; DROP TABLE audit; DROP TABLE uses; DROP TABLE limits; ALTER TABLE recordings DROP COLUMN origin',
  );
  change(path, 'DROP INDEX runs_by_request; ALTER TABLE recordings DROP COLUMN request_id');
  change(path, 'DROP INDEX recordings_of_outcome; ALTER TABLE recordings DROP COLUMN details');
  for (const column of [
    'failure_detail',
    'origin',
    'secret',
    'request_id',
    'reservations',
    ...costColumns,
    ...burstColumns,
    ...flowColumns,
    'trace',
  ])
    change(path, `ALTER TABLE runs DROP COLUMN ${column}`);
  change(path, 'DROP TABLE conversations; ALTER TABLE runs DROP COLUMN conversation; PRAGMA user_version = 4');
}

/** As a version that knew no recorded requests left it. */
function makeVersion1(path: string): void {
  makeVersion4(path);
  change(path, 'DROP INDEX runs_suspect');
  const columns = ['checkpoint', 'input_tokens', 'output_tokens', 'interruptions'];
  for (const column of columns) change(path, `ALTER TABLE runs DROP COLUMN ${column}`);
  change(path, 'DROP TABLE recordings; PRAGMA user_version = 1; VACUUM');
}

t.test('sqlite engine', (t) => {
  for (const { name, run } of conformanceCases) t.test(name, () => run(openNew));
  t.end();
});

t.test('the sqlite engine agrees with a simple model of runs and claims for any order of calls and restarts', () => {
  const never = Number.POSITIVE_INFINITY;
  const openModel = async (): Promise<ModelHarness> => {
    const folder = await newFolder();
    const path = join(folder, 'pullcord.db');
    const harness = await openAt(path);
    const { clock } = harness;
    const reopen = async () => ({
      ...(await createSqliteEngine({ ...defaults, path }, { log: recordingLog() }, clock)),
      clock,
    });
    return { ...harness, reopen, dispose: () => rm(folder, { recursive: true }) };
  };
  return checkAgainstModel(
    openModel,
    { maxQueued: never, maxFinished: never, keepFinished: never, maxClaims: never },
    4,
  );
});

t.test(
  'the sqlite engine resumes unfinished runs after a restart: same id, next attempt, claims and sessions kept',
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

t.test(
  'the sqlite engine fails a run that it cannot resume because its input is masked, and releases its claim',
  async (t) => {
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
  },
);

t.test('the sqlite engine sends a pending callback after a restart', async (t) => {
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

t.test(
  'the sqlite engine counts uses across a restart, and forgets them when their credential has ended',
  async (t) => {
    const { path, open } = await journal(t);
    const before = await open();
    const uses = { id: 'one', limit: 2, until: before.clock.now() + 60_000 };
    t.equal(await submit(before, newRun(before, { uses }), undefined), 'accepted');
    await before.engine.close(0);
    const after = await open();
    t.equal(await submit(after, newRun(after, { uses }), undefined), 'accepted');
    t.equal(await submit(after, newRun(after, { uses }), undefined), 'used_up');
    await after.engine.close(0);
    using database = new DatabaseSync(path);
    t.equal(new RunTables(database, { age: 1e15, count: 1e6 }).tidy(uses.until - 1), false);
    const count = () => database.prepare('SELECT count(*) AS count FROM uses').get()?.count;
    t.equal(count(), 1);
    new RunTables(database, { age: 1e15, count: 1e6 }).tidy(uses.until);
    t.equal(count(), 0);
  },
);

t.test('a journal is locked to one process at a time', async (t) => {
  const { open, path } = await journal(t);
  const { engine } = await open();
  await t.rejects(open(), { message: `another process (${process.pid}) is using ${path}` });
  await engine.close(0);
  await open();
});

t.test('the sqlite engine reports why a file cannot be its journal', async (t) => {
  const folder = await newFolder();
  t.teardown(() => rm(folder, { recursive: true }));
  const foreign = join(folder, 'foreign.db');
  const later = join(folder, 'later.db');
  const text = join(folder, 'text.db');
  change(foreign, 'CREATE TABLE t (a)');
  await (await openAt(later)).engine.close(0);
  change(later, 'PRAGMA user_version = 99');
  await writeFile(text, 'no database, but long enough to be looked at. '.repeat(100));
  await t.rejects(openAt(foreign), { message: `${foreign} is a SQLite database, but not a Pullcord journal` });
  await t.rejects(openAt(later), {
    message: `${later} was written by a later version of Pullcord (journal version 99)`,
  });
  await t.rejects(openAt(text), /not a database/);
  await t.rejects(openAt(join(text, 'below-a-file.db')), /ENOTDIR|EEXIST/);
});

t.test('a full journal refuses runs and their claims, and accepts again once there is room', async (t) => {
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

t.test(
  'the sqlite engine deletes finished runs by age and count; claims, sessions and recorded requests when they expire',
  async (t) => {
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
    await record(harness, [newRequest(harness)], { ...wide, ageMs: 1000 });
    clock.advance(1000);
    await tidied([]);
    await engine.close(0);
    const database = new DatabaseSync(path, { readOnly: true });
    for (const table of ['claims', 'conversations', 'runs', 'recordings']) {
      t.strictSame({ ...database.prepare(`SELECT count(*) AS count FROM ${table}`).get() }, { count: 0 }, table);
    }
    database.close();
  },
);

t.test('the sqlite engine keeps recorded requests across a restart until they expire', async (t) => {
  const { open } = await journal(t);
  const before = await open();
  const requests = [newRequest(before, { runId: newRun(before).id }), newRequest(before, { bodyText: undefined })];
  const recorded = before.recordings?.record(requests.map(unbounded), { ...wide, ageMs: 1000 });
  await before.engine.close(0);
  await recorded;

  const after = await open();
  t.strictSame(await recordedIn(after), requests);
  const next = newRequest(after);
  await record(after, [next], { ...wide, count: 2 });
  t.strictSame(await recordedIn(after), [requests[1], next], 'recorded requests from before the restart count');
  after.clock.advance(1000);
  t.strictSame(await recordedIn(after), [next]);
});

t.test('a journal of version 1 is migrated to the current version, even when it is full', async (t) => {
  const { open, path } = await journal(t);
  const before = await open();
  const run = newRun(before);
  await submit(before, run, newClaim());
  await before.engine.close(0);
  makeVersion1(path);
  const { size } = await stat(path);

  const full = await open({ maxSize: size });
  t.match(await full.engine.get(run.id), { input: run.input, state: 'queued' });
  await full.engine.close(0);
  const after = await open();
  t.strictSame(await after.engine.submit(newRun(after), newClaim()), { kind: 'duplicate', runId: run.id });
  const request = newRequest(after);
  await record(after, [request]);
  t.strictSame(await recordedIn(after), [request]);
  await after.engine.close(0);
  using database = new DatabaseSync(path, { readOnly: true });
  t.strictSame({ ...database.prepare('PRAGMA user_version').get() }, { user_version: 17 });
});

t.test('a session of an earlier version belongs to the caller of the last run that was started in it', async (t) => {
  const { open, path } = await journal(t);
  const before = await open({ concurrency: 2 });
  const worker = new Worker();
  await before.engine.start(worker);
  const runOf = (caller: string, sessionId: string, trigger = 'refund-request') => {
    before.clock.advance(1);
    return newRun(before, { caller, sessionId, trigger });
  };
  for (const run of [runOf('website', 'a'), runOf('app', 'a'), runOf('website', 'b'), runOf('app', 'a', 'other')]) {
    await submit(before, run, undefined);
    (await worker.started(run.id)).settle(success);
    await before.engine.wait(run.id, 10_000);
  }
  const [running, blocking, queued] = [runOf('app', 'a'), runOf('website', 'd'), runOf('website', 'a')];
  for (const run of [running, blocking, queued]) await submit(before, run, undefined);
  await worker.started(blocking.id);
  await before.engine.close(1);
  makeVersion4(path);
  const until = before.clock.now() + 1000;
  const sessions = ["'refund-request', 'a'", "'refund-request', 'b'", "'other', 'a'", "'refund-request', 'c'"];
  for (const name of sessions) {
    change(path, `INSERT INTO sessions VALUES ('support', ${name}, '"${name.replaceAll("'", '')}"', ${until})`);
  }

  const recovered = recoverJournal(path, join(dirname(path), 'recovered.db'));
  for (const at of [path, recovered.to]) {
    const after = await openAt(at);
    t.teardown(() => after.engine.close(0));
    const resumed = new Worker();
    await after.engine.start(resumed);
    const memoryOf = async (run: NewRun) => {
      const { session, settle } = await resumed.started(run.id);
      settle(success);
      await after.engine.wait(run.id, 10_000);
      return session?.memory;
    };
    const next = async (caller: string, sessionId: string, trigger?: string) => {
      const run = runOf(caller, sessionId, trigger);
      await submit(after, run, undefined);
      return memoryOf(run);
    };
    t.equal(await memoryOf(running), 'refund-request, a', 'a run that was interrupted goes on in it');
    t.equal(await memoryOf(queued), undefined, 'one that was only queued has not continued it');
    t.equal(await next('app', 'a'), 'refund-request, a');
    t.equal(await next('website', 'a'), undefined);
    t.equal(await next('website', 'b'), 'refund-request, b');
    t.equal(await next('app', 'a', 'other'), 'other, a');
    t.strictSame(
      [await next('app', 'c'), await next('website', 'c')],
      [undefined, undefined],
      'without a run, nobody owns it',
    );
  }
});

t.test(
  'an attempt interrupted by a stop resumes from its checkpoint, and its abort reason is not that of a cancellation',
  async (t) => {
    const { open } = await journal(t);
    const before = await open();
    const worker = new Worker();
    await before.engine.start(worker);
    const run = newRun(before);
    const cancelled = newRun(before);
    for (const one of [run, cancelled]) await submit(before, one, undefined);
    const attempt = await worker.started(run.id);
    t.equal(attempt.checkpoint, undefined);
    await attempt.save({ task: 'a7' });
    await attempt.save({ task: 'a8' });
    const { signal } = await worker.started(cancelled.id);
    await before.engine.cancel(cancelled.id);
    t.ok(signal.aborted && !AttemptReleased.is(signal.reason));
    await before.engine.close(0);
    t.ok(attempt.signal.aborted && AttemptReleased.is(attempt.signal.reason));

    const after = await open();
    const resumed = new Worker();
    await after.engine.start(resumed);
    const again = await resumed.started(run.id);
    t.strictSame([again.run.attempt, again.checkpoint], [2, { task: 'a8' }]);
    again.settle({ ...success, usage: { inputTokens: 7, outputTokens: 9 } });
    t.match(await after.engine.wait(run.id, 10_000), {
      state: 'succeeded',
      usage: { inputTokens: 7, outputTokens: 9 },
    });
  },
);

t.test('an almost full journal drops recorded requests to make room for runs', async (t) => {
  const { open } = await journal(t);
  const harness = await open({ maxSize: 1024 * 1024 });
  const { engine } = harness;
  const bodyText = 'x'.repeat(50_000);
  for (let count = 0; count < 50; count += 1) await record(harness, [newRequest(harness, { bodyText })]);
  const last = newRequest(harness, { bodyText });
  await record(harness, [last]);
  t.strictSame((await recordedIn(harness)).at(-1), last, 'older ones make room for later ones');

  const input = { environment: 'api', language: 'en', text: bodyText };
  const runs = Array.from({ length: 12 }, () => newRun(harness, { input }));
  for (const [index, run] of runs.entries()) {
    const refused = Promise.allSettled([record(harness, [newRequest(harness, { bodyText })])]);
    t.equal(await submit(harness, run, newClaim({ fingerprint: run.id })), 'accepted', `run ${index}`);
    await refused;
  }
  for (let count = 0; count < 5; count += 1) await submit(harness, newRun(harness, { input }), undefined);
  await t.rejects(record(harness, [newRequest(harness)]), {
    message: 'the journal has no room left for recorded requests',
  });
  const error = await record(harness, [newRequest(harness)]).catch((error: unknown) => error);
  t.ok(EngineUnavailable.is(error));
  t.strictSame(await recordedIn(harness), [], 'runs use all of the room');
  for (const run of runs) t.match(await engine.get(run.id), { state: 'queued', input });
});

t.test('recorded requests far beyond their limit are deleted in batches', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { open } = await journal(t);
  const harness = await open();
  const requests = Array.from({ length: 2000 }, () => newRequest(harness));
  await record(harness, requests);
  await record(harness, [], { ...wide, count: 10 });
  t.ok((await recordedIn(harness)).length > 1000);
  await until(async () => {
    mock.timers.tick(10_000);
    return (await recordedIn(harness)).length === 10;
  });
  t.strictSame(await recordedIn(harness), requests.slice(-10));
});

t.test('recorded requests can be read while the journal is open, from this process and from another', async (t) => {
  const { open, path } = await journal(t);
  const harness = await open();
  const [first, second] = [requestOfToday(harness), requestOfToday(harness, { trigger: 'other' })];
  await record(harness, [first, second]);
  await record(harness, [newRequest(harness)], wide);
  const before = await stat(path);
  const reading = readRecordings(path);
  t.strictSame(reading.next().value, first);
  const third = requestOfToday(harness, { bodyText: undefined });
  await record(harness, [third]);
  t.strictSame([...reading], [second], 'a read sees the journal as of its start');
  t.strictSame([...readRecordings(path)], [first, second, third], 'no expired request is read');
  const script = `import { readRecordings } from ${JSON.stringify(import.meta.resolve('../../src/engine/sqlite/read-recordings.ts'))};
    console.log(JSON.stringify([...readRecordings(process.argv[1])].map(({ id }) => id)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script, path]);
  t.strictSame(JSON.parse(stdout), [first.id, second.id, third.id]);
  const after = await stat(path);
  t.strictSame([after.size, after.mtimeMs], [before.size, before.mtimeMs]);
  t.equal(await submit(harness, newRun(harness), newClaim()), 'accepted');
});

t.test('recorded requests can be read from a closed journal without changing its files', async (t) => {
  const { open, path } = await journal(t);
  const folder = dirname(path);
  const harness = await open();
  const requests = [requestOfToday(harness), requestOfToday(harness)];
  await record(harness, requests);
  await harness.engine.close(0);
  const files = async () => {
    const names = (await readdir(folder)).toSorted();
    return Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'hex')]));
  };
  const before = await files();
  await chmod(path, 0o400);
  await chmod(folder, 0o500);
  t.teardown(() => chmod(folder, 0o700));
  t.strictSame([...readRecordings(path)], requests);
  for (const request of readRecordings(path)) {
    t.strictSame(request, requests[0]);
    break;
  }
  t.strictSame(await files(), before);

  await chmod(folder, 0o700);
  await chmod(path, 0o600);
  makeVersion1(path);
  const version1 = await files();
  t.strictSame([...readRecordings(path)], [], 'a journal of version 1 has no recorded requests');
  t.strictSame(await files(), version1);
});

t.test('recorded requests can be read after the gateway was killed', async (t) => {
  const { open, afterDeath } = await journal(t);
  const harness = await open();
  const request = requestOfToday(harness);
  await record(harness, [request]);
  t.strictSame([...readRecordings((await afterDeath()).path)], [request]);
});

t.test('reading recorded requests reports why a file is not a readable journal', async (t) => {
  const { open, path } = await journal(t);
  const folder = dirname(path);
  const harness = await open();
  await record(harness, [requestOfToday(harness, { bodyText: 'x'.repeat(100_000) })]);
  await harness.engine.close(0);
  const at = (name: string) => join(folder, name);
  for (const name of ['later.db', 'cut.db']) await writeFile(at(name), await readFile(path));
  change(at('later.db'), 'PRAGMA user_version = 99');
  await truncate(at('cut.db'), 60_000);
  await writeFile(at('text.db'), 'no database, but long enough to be looked at. '.repeat(100));
  await writeFile(at('empty.db'), '');
  change(at('foreign.db'), 'CREATE TABLE recordings (a)');
  const read = (file: string) => () => [...readRecordings(file)];
  t.throws(read(at('missing.db')), { message: `${at('missing.db')} cannot be read: unable to open database file` });
  t.throws(read(folder), { message: `${folder} cannot be read: disk I/O error` });
  t.throws(read(at('cut.db')), { message: `${at('cut.db')} cannot be read: database disk image is malformed` });
  t.throws(read(at('text.db')), { message: `${at('text.db')} is not a Pullcord journal` });
  t.throws(read(at('empty.db')), { message: `${at('empty.db')} is empty, not a Pullcord journal` });
  t.throws(read(at('foreign.db')), { message: `${at('foreign.db')} is a SQLite database, but not a Pullcord journal` });
  t.throws(read(at('later.db')), {
    message: `${at('later.db')} was written by a later version of Pullcord (journal version 99)`,
  });
  t.notOk((await readdir(folder)).includes('missing.db'), 'a missing file is not created');
});
