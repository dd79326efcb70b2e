import { copyFile, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import {
  keepAll,
  newAuditEntry,
  newClaim,
  newRequest,
  newRun,
  unbounded,
  wide,
  wideAudit,
} from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import { recoverJournal } from '../../src/engine/sqlite/recovery/recover.ts';
import { command } from '../support/command.ts';
import { configFolder, durableFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { damagePage, pageSize, pagesOf, rootPages } from './damage-pages.ts';
import { journal, openAt, type TestJournal } from './journal.ts';

const tableNames = ['runs', 'claims', 'conversations', 'notifications', 'recordings', 'uses', 'limits'];
const counts = {
  runs: 120,
  claims: 90,
  conversations: 30,
  notifications: 30,
  recordings: 40,
  uses: 1,
  limits: 120,
  auditEntries: 20,
};
const nothingLost = { damagedPages: 0, lostRows: 0, lostRuns: [], failedRuns: [], remadeClaims: 0 };

/** What each run reserves. */
const budget = {
  ...({ limit: 'a budget', unit: 'tokens', amount: 10, unreported: 0, isShadow: false, maxValues: 1000 } as const),
  rule: { kind: 'window', amount: 1000, periodMs: 3_600_000 },
} as const;

/** A journal with enough rows that every table has several pages, still open. */
async function fill(files: TestJournal) {
  const harness = await files.open();
  const { engine, recordings, audit } = harness;
  const worker = new Worker();
  await engine.start({
    execute: (run, attempt) =>
      run.sessionId === undefined ? worker.execute(run, attempt) : { ...success, memory: run.id.repeat(10) },
    notify: () => 3_600_000,
  });
  for (let index = 0; index < counts.runs; index += 1) {
    const sessionId = index % 4 === 0 ? `conversation ${index} ${'é'.repeat(100)}` : undefined;
    // Some inputs need overflow pages.
    const input = { environment: 'api', language: 'en', text: `${index}`.repeat(index % 10 === 0 ? 5000 : 50) };
    const policy = { ...keepAll, notify: sessionId !== undefined };
    const uses = index === 0 ? { id: 'a token', limit: 2, until: harness.clock.now() + 3_600_000 } : undefined;
    const run = newRun(harness, { input, sessionId, policy, uses });
    const claim = newClaim({ fingerprint: `${index} ${'f'.repeat(64)}` });
    await engine.submit(run, index % 4 === 3 ? undefined : claim, [{ ...budget, value: `customer ${index}` }]);
    if (sessionId !== undefined) await engine.wait(run.id, 10_000);
  }
  const requests = Array.from({ length: counts.recordings }, (_, index) =>
    unbounded(newRequest(harness, { bodyText: 'x'.repeat(index * 300) })),
  );
  for (let index = 0; index < counts.auditEntries; index += 1) await audit.put(newAuditEntry(harness), wideAudit);
  await Promise.all([recordings?.record(requests, wide), recordings?.get('')]);
  return harness;
}

async function filled(t: Test): Promise<TestJournal> {
  const files = await journal(t);
  await (await fill(files)).engine.close(0);
  return files;
}

/** Everything in a journal, in an order of its own. */
function contentsOf(path: string): Map<string, string[]> {
  using database = new DatabaseSync(path, { readOnly: true });
  const rows = (name: string) => database.prepare(`SELECT * FROM ${name}`).all();
  return new Map(
    tableNames.map((name) => [
      name,
      rows(name)
        .map((row) => JSON.stringify(row))
        .sort(),
    ]),
  );
}

async function copyOf({ path }: TestJournal, name: string): Promise<string> {
  const copy = join(dirname(path), name);
  await copyFile(path, copy);
  return copy;
}

t.test('everything is exported from a journal without damage, also what only its write-ahead log has', async (t) => {
  const files = await journal(t);
  const { engine } = await fill(files);
  const { path } = await files.afterDeath();
  t.ok((await stat(`${path}-wal`)).size > 100 * pageSize);
  const found = recoverJournal(path, `${path}.new`);
  t.strictSame(found, { from: path, to: `${path}.new`, ...counts, ...nothingLost });
  t.strictSame(contentsOf(`${path}.new`), contentsOf(path));
  await engine.close(0);
});

t.test('whichever page is damaged, only its own rows are lost, and the damaged journal is not changed', async (t) => {
  const files = await filled(t);
  const before = contentsOf(files.path);
  const pages = (await stat(files.path)).size / pageSize;
  const roots = new Set(rootPages(files.path).values());
  for (let page = 1; page <= pages; page += 1) {
    const path = await copyOf(files, `damaged-${page}.db`);
    // A part of some pages, all of others.
    await damagePage(path, page, page % 2 === 0 ? 100 : pageSize);
    const bytes = await readFile(path);
    const found = recoverJournal(path, `${path}.new`);
    t.ok(bytes.equals(await readFile(path)), 'unchanged');
    const after = contentsOf(`${path}.new`);
    using database = new DatabaseSync(`${path}.new`);
    t.strictSame({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
    const kept = tableNames.map((name) => after.get(name)?.length ?? 0);
    const all = tableNames.map((name) => before.get(name)?.length ?? 0);
    const lost = all.reduce((sum, count, index) => sum + count - (kept[index] ?? 0), 0);
    // The smallest rows are those of notifications: no page has more of them than this.
    if (lost > 80) t.fail(`page ${page}${roots.has(page) ? ', a root' : ''}: ${lost} rows are lost`);
    if (lost > 0 && found.damagedPages + found.lostRows + found.lostRuns.length + found.failedRuns.length === 0) {
      t.fail(`page ${page}: ${lost} rows are lost, and nothing says so`);
    }
  }
});

t.test('each b-tree can lose its root; rows on its other pages are found', async (t) => {
  const files = await filled(t);
  for (const [name, root] of rootPages(files.path)) {
    const path = await copyOf(files, `${name}.db`);
    await damagePage(path, root);
    const found = recoverJournal(path, `${path}.new`);
    const isSmall = pagesOf(files.path, name).length === 1;
    if (tableNames.includes(name) && isSmall) t.equal(Reflect.get(found, name), 0, name);
    else t.strictSame([found.runs, found.conversations, found.recordings], [120, 30, 40], name);
  }
});

t.test('a lost run is named, and one whose input is lost fails and releases its claim', async (t) => {
  const files = await filled(t);
  const leaf = pagesOf(files.path, 'runs').at(-1) ?? 0;
  await damagePage(files.path, leaf);
  const found = recoverJournal(files.path, `${files.path}.new`);
  t.ok(found.lostRuns.length > 0);
  t.equal(found.runs + found.lostRuns.length, counts.runs);

  const other = await filled(t);
  {
    using database = new DatabaseSync(other.path, { readOnly: true });
    const pages = database.prepare("SELECT pageno FROM dbstat WHERE name = 'runs' AND pagetype = 'overflow'").all();
    for (const { pageno } of pages) await damagePage(other.path, Number(pageno));
  }
  const damaged = recoverJournal(other.path, `${other.path}.new`);
  t.equal(damaged.runs, counts.runs);
  t.ok(damaged.failedRuns.length > 0);
  t.equal(damaged.claims + damaged.failedRuns.length, counts.claims);
  using database = new DatabaseSync(`${other.path}.new`);
  const [id = ''] = damaged.failedRuns;
  const failure = { message: 'the input of this run was lost with a damaged journal', retryable: false };
  const row = database.prepare('SELECT state, failure FROM runs WHERE id = ?').get(id);
  t.strictSame({ ...row }, { state: 'failed', failure: JSON.stringify(failure) });
});

t.test('a recovered journal serves: runs are executed, none is a suspect, and claims detect duplicates', async (t) => {
  const files = await journal(t);
  const before = await files.open();
  await before.engine.start(new Worker());
  const run = newRun(before);
  await before.engine.submit(run, newClaim());
  const died = await files.afterDeath();
  await before.engine.close(0);
  const { to, remadeClaims } = recoverJournal(died.path, join(dirname(died.path), 'new.db'));
  t.equal(remadeClaims, 0);
  t.strictSame(
    (await readdir(dirname(to))).filter((name) => name.startsWith('new')),
    ['new.db'],
  );
  const after = await openAt(to);
  t.teardown(() => after.engine.close(0));
  const worker = new Worker();
  await after.engine.start(worker);
  t.match((await worker.started(run.id)).run, { attempt: 2, interruptions: 0, input: run.input });
  t.strictSame(await after.engine.submit(newRun(after), newClaim()), { kind: 'duplicate', runId: run.id });
});

t.test('claims of runs that have not ended are made again when theirs are lost', async (t) => {
  const files = await filled(t);
  for (const page of pagesOf(files.path, 'claims')) await damagePage(files.path, page);
  const found = recoverJournal(files.path, `${files.path}.new`);
  t.match(found, { runs: counts.runs, remadeClaims: 60, claims: 60 });
});

t.test('runs recover exports a damaged journal beside it, says what is lost, and overwrites nothing', async (t) => {
  const files = { ...durableFiles(), 'triggers/once.yaml': triggerFile('once', { dedup: 'body' }) };
  const { gateway, fire, root } = await startTestGateway(t, files);
  const { runId } = (await fire('once', { order: 7 })).body;
  const recover = (...args: string[]) => command(t, ['runs', 'recover', '--config', root, ...args]);
  t.match(await recover(), { code: 1, stderr: /^error: another process/ });
  await gateway.close();
  const path = join(root, 'data/pullcord.db');
  await damagePage(path, rootPages(path).get('runs_by_time') ?? 0);
  t.match(await command(t, ['serve', '--config', root]), { code: 70 });
  const made = await recover();
  const to = join(root, 'data/pullcord.recovered.db');
  t.match(made, { code: 0, stderr: '' });
  t.match(made.stdout, `${to} has 1 runs, 1 dedup claims, 0 conversations`);
  t.match(made.stdout, /Lost:\n {2}1 damaged pages\n[\s\S]*To use it[\s\S]*mv /);
  t.match(await recover(), { code: 1, stderr: `error: ${to} exists already` });
  t.match(await recover('--out', root), { code: 0, stdout: join(root, 'pullcord.recovered.db') });
  await copyFile(to, path);
  t.match(await command(t, ['runs', 'show', runId, '--config', root]), { code: 0, stdout: /"state": "succeeded"/ });
});

t.test('runs recover reports that there is no journal, and that the memory engine has none', async (t) => {
  const { gateway, root } = await startTestGateway(t, {
    ...durableFiles(),
    'gateway.yaml': JSON.stringify({
      version: 1,
      kind: 'Gateway',
      organization: 'acme',
      server: { port: 0 },
      admin: { port: 0 },
      engine: { uses: 'memory' },
    }),
  });
  await gateway.close();
  const { code, stderr } = await command(t, ['runs', 'recover', '--config', root]);
  t.match([code, stderr], [1, /keeps data only in the gateway's process/]);
  const shared = await configFolder(t, {
    'gateway.yaml': gatewayFile({ engine: { uses: 'postgres', with: { url: { env: 'DATABASE_URL' } } } }),
  });
  const env = { DATABASE_URL: 'postgres://127.0.0.1:1/nothing' };
  t.match(await command(t, ['runs', 'recover', '--config', shared], { env }), {
    code: 1,
    stderr: /the postgres engine keeps its data in a database: recover that from a backup/,
  });
  const folder = (await journal(t)).path;
  t.throws(() => recoverJournal(folder, `${folder}.new`), { message: `${folder} does not exist` });
});
