import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { Worker as Thread } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { newClaim, newRun } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import { maxSizeOn } from '../../src/engine/sqlite/database.ts';
import { EngineBroken, EngineUnavailable } from '../../src/engine/types/index.ts';
import { command, startCommand } from '../support/command.ts';
import { durableFiles, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { damagePage, rootPages } from './damage-pages.ts';
import { journal } from './journal.ts';

/** A closed journal with runs and claims. */
async function filledJournal(t: Test) {
  const files = await journal(t);
  const before = await files.open();
  for (let count = 0; count < 20; count += 1) {
    await before.engine.submit(newRun(before), newClaim({ fingerprint: `${count}` }));
  }
  await before.engine.close(0);
  const damage = async (name: string) => damagePage(files.path, rootPages(files.path).get(name) ?? 0);
  return { ...files, damage };
}

t.test('a journal whose first page is damaged is not opened, and the message says what to do', async (t) => {
  const { open, path, damage } = await filledJournal(t);
  await damage('sqlite_schema');
  const error = await open().catch((error: unknown) => error);
  t.ok(EngineBroken.is(error));
  t.match(error, {
    message: `the journal ${path} is damaged (file is not a database); "pullcord runs recover" exports`,
  });
});

t.test('damage that is found at the start breaks the engine: it stores nothing more, and can be closed', async (t) => {
  const { open, path, damage } = await filledJournal(t);
  await damage('runs');
  const harness = await open();
  const { engine } = harness;
  const error = await Promise.resolve(engine.start(new Worker())).catch((error: unknown) => error);
  t.ok(EngineUnavailable.is(error));
  t.match(await engine.broken, { message: new RegExp(`^the journal ${path} is damaged`) });
  t.match(await engine.submit(newRun(harness), newClaim()), { kind: 'unavailable', reason: 'the journal is damaged' });
  t.strictSame(await engine.health(), { kind: 'unavailable', reason: 'the journal is damaged' });
  await engine.close(3_600_000);
});

t.test('damage that is found while runs are executed breaks the engine, and closing it does not drain', async (t) => {
  const { open, damage } = await filledJournal(t);
  await damage('claims');
  const harness = await open();
  const { engine } = harness;
  const worker = new Worker();
  await engine.start(worker);
  const run = newRun(harness);
  t.equal((await engine.submit(run, undefined)).kind, 'accepted', 'what needs no claim still works');
  const attempt = await worker.started(run.id);
  t.strictSame(await engine.health(), { kind: 'fine' });
  t.match(await engine.submit(newRun(harness), newClaim()), { kind: 'unavailable', reason: 'the journal is damaged' });
  t.ok(EngineBroken.is(await engine.broken));
  const waiting = engine.wait(run.id, 3_600_000);
  await engine.close(3_600_000);
  t.equal(attempt.signal.aborted, true);
  t.match(await waiting, { id: run.id, state: 'running' });
});

t.test('closing ends the drain when damage is found meanwhile', async (t) => {
  const { open, damage } = await filledJournal(t);
  await damage('claims');
  const harness = await open();
  const worker = new Worker();
  await harness.engine.start(worker);
  const run = newRun(harness);
  await harness.engine.submit(run, undefined);
  await worker.started(run.id);
  // Submitted before the close, answered after it began.
  const refused = harness.engine.submit(newRun(harness), newClaim());
  await harness.engine.close(3_600_000);
  t.equal((await refused).kind, 'unavailable');
});

t.test('a journal whose thread dies breaks the engine instead of leaving calls without an answer', async (t) => {
  const { open, path } = await journal(t);
  const created = once(process, 'worker');
  const harness = await open();
  const { engine } = harness;
  await engine.start({ execute: () => success });
  const [thread]: Thread[] = await created;
  const answers = Promise.allSettled([engine.submit(newRun(harness), undefined), engine.list({ limit: 1 })]);
  await thread?.terminate();
  await answers;
  t.match(await engine.broken, { message: `the thread of the journal ${path} ended` });
  t.match(await engine.submit(newRun(harness), undefined), { kind: 'unavailable' });
  t.match(await engine.health(), { kind: 'unavailable' });
});

t.test('an engine that is closed is not broken', async (t) => {
  const { engine } = await (await journal(t)).open();
  let isBroken = false;
  void engine.broken.then(() => {
    isBroken = true;
  });
  await engine.close(0);
  t.equal(isBroken, false);
});

/** A config folder whose gateway has kept a run with a claim, and where its journal is. */
async function servedFolder(t: Test): Promise<{ root: string; path: string }> {
  const files = { ...durableFiles(), 'triggers/once.yaml': triggerFile('once', { dedup: 'body' }) };
  const { gateway, fire, root } = await startTestGateway(t, files);
  t.equal((await fire('once', { order: 7 })).status, 200);
  await gateway.close();
  return { root, path: join(root, 'data/pullcord.db') };
}

t.test('serve exits with 70 on a journal that is damaged, with 1 on one that another process uses', async (t) => {
  for (const name of ['sqlite_schema', 'runs_by_time', 'notifications']) {
    const { root, path } = await servedFolder(t);
    await damagePage(path, rootPages(path).get(name) ?? 0);
    const { code, stderr } = await command(t, ['serve', '--config', root]);
    t.equal(code, 70, name);
    t.match(stderr, /engine_broken[\s\S]*pullcord runs recover/, name);
    t.notMatch(stderr, /bug in pullcord/);
  }
  const { root } = await startTestGateway(t, durableFiles());
  t.match(await command(t, ['serve', '--config', root]), { code: 1, stderr: /engine_failed/ });
});

t.test('serve answers 503 and exits with 70 when it finds damage while it serves', async (t) => {
  const { root, path } = await servedFolder(t);
  await damagePage(path, rootPages(path).get('claims') ?? 0);
  const child = startCommand(t, ['serve', '--config', root]);
  const exited = once(child, 'exit');
  if (child.stderr === null) throw new Error('the child has no stderr');
  const lines: { msg: string; level: number; url?: string }[] = [];
  for await (const line of createInterface(child.stderr)) {
    lines.push(JSON.parse(line));
    const url = lines.at(-1)?.url;
    if (url === undefined) continue;
    const response = await fetch(`${url}/api/v1.0/project/support/trigger/once`, {
      method: 'POST',
      headers: { 'x-api-key': secrets.website, 'content-type': 'application/json' },
      body: '{"order":7}',
    });
    t.equal(response.status, 503);
    await until(() => child.exitCode !== null);
  }
  t.strictSame(await exited, [70, null]);
  t.match(
    lines.find(({ level }) => level === 60),
    { msg: /^stopping: the journal .* is damaged .*pullcord runs recover/ },
  );
});

t.test('runs reports a damaged journal, and does not call it a bug', async (t) => {
  const { root, path } = await servedFolder(t);
  await damagePage(path, rootPages(path).get('runs_by_time') ?? 0);
  const listed = await command(t, ['runs', 'list', '--config', root]);
  t.match(listed, { code: 1, stderr: /^error: the journal is damaged/ });
});

t.test('/readyz fails while nothing can be stored, and works again without a restart', async (t) => {
  const { adminUrl, url, fire, log, root } = await startTestGateway(t, {
    ...durableFiles(),
    'gateway.yaml': gatewayFile({ engine: { uses: 'sqlite', with: { maxSize: '512KiB' } } }),
    'triggers/slow.yaml': triggerFile('slow', {
      run: { uses: 'echo', with: { delay: '1h' } },
      respond: { uses: 'accepted' },
      record: 'none',
    }),
  });
  const readyz = async () => {
    const response = await fetch(`${adminUrl}/readyz`);
    return [response.status, await response.json()];
  };
  const isReady = async () => (await readyz())[0] === 200;
  const failed = [503, { status: 'storage_unavailable' }];
  t.strictSame(await readyz(), [200, { status: 'ok' }]);

  const other = new DatabaseSync(join(root, 'data/pullcord.db'));
  t.teardown(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  await until(async () => !(await isReady()));
  t.strictSame(await readyz(), failed);
  other.exec('ROLLBACK');
  await until(isReady);

  const statusUrls: string[] = [];
  for (;;) {
    const { status, body } = await fire('slow', { text: 'x'.repeat(20_000) });
    if (status !== 202) break;
    statusUrls.push(body.statusUrl);
  }
  for (const text of ['x'.repeat(3000), 'x'.repeat(1000), '']) {
    for (;;) {
      const { status, body } = await fire('slow', { text });
      if (status !== 202) break;
      statusUrls.push(body.statusUrl);
    }
  }
  await until(async () => !(await isReady()));
  t.strictSame(await readyz(), failed);
  for (const path of statusUrls)
    await fetch(url + path, { method: 'DELETE', headers: { 'x-api-key': secrets.website } });
  await until(isReady);
  t.strictSame(
    log.filter(({ message }) => /ready/.test(message)).map(({ level, fields }) => [level, fields]),
    [
      ['error', { reason: 'the journal is locked' }],
      ['info', {}],
      ['error', { reason: 'the journal is full: its maxSize is reached' }],
      ['info', {}],
    ],
  );
});

t.test('a journal without maxSize is limited to a part of its disk', async (t) => {
  const gib = 1024 ** 3;
  t.equal(maxSizeOn({ journalBytes: 0, freeBytes: 100 * gib }), 80 * gib);
  t.equal(maxSizeOn({ journalBytes: 10 * gib, freeBytes: 90 * gib }), 80 * gib, 'a restart does not change it');
  t.equal(maxSizeOn({ journalBytes: 90 * gib, freeBytes: 10 * gib }), 95 * gib, 'a large journal is not full at once');
  const { open } = await journal(t);
  const harness = await open();
  t.equal((await harness.engine.submit(newRun(harness), undefined)).kind, 'accepted');
});
