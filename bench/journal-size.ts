// What a journal with a million finished runs costs against an empty one: prints times and ratios as JSON.
import { hash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { uuidv7 } from 'uuidv7';
import { createSqliteEngine } from '../src/engine/sqlite/index.ts';
import type { NewRun } from '../src/engine/types/index.ts';
import { median } from './statistics.ts';

export interface JournalTimes {
  readonly runs: number;
  readonly rows: readonly {
    readonly name: string;
    readonly ratio: number;
    readonly fullMs: number;
    readonly emptyMs: number;
  }[];
}

const runs = 1_000_000;
const rounds = 300;
const silent = { info() {}, warn() {}, error() {} };

async function open(path: string) {
  const retention = { age: 1e12, count: 1e8 };
  const options = { path, concurrency: 1000, maxInterruptions: 3, maxQueued: 100_000, retention };
  return (await createSqliteEngine(options, { log: silent })).engine;
}

/** Finished runs of a hundred triggers over thirty days, each with its claim. */
function fill(path: string): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA synchronous = OFF');
  const now = Date.now();
  database.exec(`
    BEGIN;
    CREATE TEMP TABLE numbers AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${runs - 1}) SELECT i FROM n;
    INSERT INTO runs (id, project, trigger_key, revision, principal, state, attempt, accepted_at, started_at, finished_at,
        keep, is_masked, session_ttl, notify, claim_scope, claim_fingerprint, keep_claim, input, output)
      SELECT printf('0190%08x-7000-8000-%012x', i, i), 'support', 'trigger-' || (i % 100), '${'a'.repeat(64)}', 'website',
        CASE i % 50 WHEN 0 THEN 'failed' ELSE 'succeeded' END, 1, ${now - 30 * 86_400_000} + i * 2, 0,
        ${now - 30 * 86_400_000} + i * 2 + 1, 'full', 0, 0, 0, 'support/x', hex(i), 0,
        '{"environment":"api","language":"en","n":' || i || '}', '"${'x'.repeat(200)}"' FROM numbers;
    INSERT INTO claims SELECT 'support/x', lower(hex(randomblob(32))), printf('0190%08x-7000-8000-%012x', i, i), NULL FROM numbers;
    COMMIT;
    PRAGMA wal_checkpoint(TRUNCATE);
  `);
  database.close();
}

function newRun(): NewRun {
  return {
    ...{ id: uuidv7(), project: 'support', trigger: 'trigger-7', revision: 'a'.repeat(64), caller: 'website' },
    ...{ sessionId: undefined, conversation: undefined, replayOf: undefined, acceptedAt: Date.now() },
    input: { environment: 'api', language: 'en', instruction: 'refund order 7' },
    policy: { keep: 'full', mask: [], sessionTtlMs: 1000, notify: false },
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const folder = await mkdtemp(join(tmpdir(), 'pullcord-journal-'));
try {
  const paths = ['full', 'empty'].map((name) => join(folder, name, 'pullcord.db'));
  const [fullPath = '', emptyPath = ''] = paths;
  for (const path of paths) await (await open(path)).close(0);
  process.stderr.write(`writing ${runs} finished runs\n`);
  fill(fullPath);
  const [full, empty] = [await open(fullPath), await open(emptyPath)];
  for (const engine of [full, empty]) {
    await engine.start({ execute: () => ({ kind: 'succeeded', output: null }) });
    // So that a page of the list is as full in the empty one.
    for (let count = 0; count < 60; count += 1) await engine.submit(newRun(), undefined);
  }
  const claim = () => ({
    ...{ scope: 'support/x', fingerprint: hash('sha256', randomUUID()), windowMs: undefined, keepOnFailure: false },
  });
  const works = {
    submit: async (engine: typeof full) => engine.submit(newRun(), claim()),
    'list by trigger': async (engine: typeof full) => engine.list({ trigger: 'trigger-7', limit: 50 }),
    'list by trigger and state': async (engine: typeof full) =>
      engine.list({ trigger: 'trigger-7', state: 'succeeded', limit: 50 }),
  };
  const rows = [];
  for (const [name, work] of Object.entries(works)) {
    const times = { full: [] as number[], empty: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      times.full.push(await timed(() => work(full)));
      times.empty.push(await timed(() => work(empty)));
    }
    const [fullMs, emptyMs] = [median(times.full), median(times.empty)];
    rows.push({ name, ratio: Math.round((fullMs / emptyMs) * 1000) / 1000, fullMs, emptyMs });
  }
  await full.close(0);
  await empty.close(0);
  const result: JournalTimes = { runs, rows };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await rm(folder, { recursive: true });
}
