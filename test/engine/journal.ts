import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import type { ConformanceHarness } from '../../src/engine/conformance.ts';
import { createSqliteEngine, type SqliteEngineOptions } from '../../src/engine/sqlite/index.ts';
import { recordingLog } from '../support/recording-log.ts';

export const defaults: Omit<SqliteEngineOptions, 'path'> = {
  concurrency: 10_000,
  maxQueued: 10_000,
  maxInterruptions: 3,
  retention: { age: 3_600_000, count: 10_000 },
};

export type Options = Partial<SqliteEngineOptions>;

export async function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'pullcord-'));
}

export async function openAt(path: string, options: Options = {}): Promise<ConformanceHarness> {
  let now = 1_700_000_000_000;
  const clock = {
    now: () => now,
    advance(ms: number) {
      now += ms;
    },
  };
  return { ...(await createSqliteEngine({ ...defaults, path, ...options }, { log: recordingLog() }, clock)), clock };
}

export async function openNew(): Promise<ConformanceHarness> {
  const folder = await newFolder();
  return { ...(await openAt(join(folder, 'pullcord.db'))), dispose: () => rm(folder, { recursive: true }) };
}

/** A journal's path in a folder that goes with the test, and engines on it that are closed with it. */
export interface TestJournal {
  readonly path: string;
  open(options?: Options): Promise<ConformanceHarness>;
  /** The journal as the next process finds it if this one dies now. */
  afterDeath(): Promise<TestJournal>;
}

export async function journal(t: Test): Promise<TestJournal> {
  const folder = await newFolder();
  t.teardown(() => rm(folder, { recursive: true }));
  return journalAt(t, join(folder, 'deep', 'pullcord.db'));
}

function journalAt(t: Test, path: string): TestJournal {
  let deaths = 0;
  return {
    path,
    async open(options) {
      const harness = await openAt(path, options);
      t.teardown(() => harness.engine.close(0));
      return harness;
    },
    async afterDeath() {
      deaths += 1;
      const copy = join(dirname(path), `${deaths}`, 'pullcord.db');
      // By another process: if this one closed the file, it would lose SQLite's locks on it.
      await promisify(execFile)('mkdir', [dirname(copy)]);
      for (const end of ['', '-wal']) await promisify(execFile)('cp', [`${path}${end}`, `${copy}${end}`]);
      return journalAt(t, copy);
    },
  };
}
