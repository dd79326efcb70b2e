import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { newClaim, newRun } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import { command, startCommand } from '../support/command.ts';
import { skipWithoutPostgres } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { allRows } from './copy/contents.ts';
import { clock, copy, newPath, openJournal, sourceOf, targetOf } from './copy/stores.ts';
import { testDatabase } from './postgres/database.ts';

t.test(
  'a process that is killed while it copies leaves nothing that the next has to clean up',
  { skip: skipWithoutPostgres },
  async (t) => {
    const database = await testDatabase(t);
    const path = await newPath(t);
    const { engine } = await openJournal(path);
    await engine.start({ execute: () => success });
    const input = { environment: 'api', language: 'en', instruction: 'x'.repeat(400_000) };
    const runs = Array.from({ length: 30 }, () => newRun({ clock }, { input }));
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
    t.strictSame(
      await allRows(await sourceOf('postgres', database.url)),
      await allRows(await sourceOf('sqlite', path)),
    );
  },
);

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
  t.strictSame(
    [claims, pendingRuns],
    [
      { copied: 0, alreadyThere: 1 },
      { copied: 0, alreadyThere: 1 },
    ],
  );
  const shared = await database.open();
  t.match(await shared.engine.get(run.id), { state: 'failed' });
  t.equal(
    (await shared.engine.submit(newRun({ clock }), newClaim())).kind,
    'accepted',
    'a released claim stays released',
  );
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

t.test(
  'a journal of an earlier version, and what is no store, is not copied',
  { skip: skipWithoutPostgres },
  async (t) => {
    const database = await testDatabase(t);
    const path = await newPath(t);
    await (await openJournal(path)).engine.close(0);
    {
      using earlier = new DatabaseSync(path);
      earlier.exec('PRAGMA user_version = 15');
    }
    const to = { DATABASE_URL: database.url };
    const copyFrom = (from: string) =>
      command(t, ['engine', 'copy', '--from', from, '--to', 'postgres:env:DATABASE_URL'], { env: to });
    t.match(await copyFrom(`sqlite:${path}`), {
      code: 1,
      stderr: /earlier version .*pullcord runs list.* migrates it/,
    });
    t.match(await copyFrom(`sqlite:${path}.missing`), { code: 1, stderr: /does not exist/ });
    t.match(await copyFrom(`sqlite:${import.meta.filename}`), { code: 1, stderr: /is not a Pullcord journal/ });
    t.match(await copyFrom('memory:x'), { code: 1, stderr: /the memory engine keeps data only/ });
    t.match(await copyFrom('redis:x'), { code: 1, stderr: /no such engine/ });
    t.match(await copyFrom('postgres:env:DATABASE_URL'), { code: 1, stderr: /both stores of the postgres engine/ });
    await database.query('CREATE SCHEMA earlier; CREATE TABLE earlier.meta (name text, value text)');
    const earlier = ['engine', 'copy', '--from', database.url, '--schema', 'earlier', '--to', `sqlite:${path}.new`];
    t.match(await command(t, earlier), { code: 1, stderr: /schema earlier was written by an earlier version/ });
  },
);
