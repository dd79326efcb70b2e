import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { CopySource, CopyTarget } from '../../../src/engine/copy/copied-rows.ts';
import { type CopyCounts, type CopyProgress, copyStore } from '../../../src/engine/copy/copy-store.ts';
import type { OpenedEngine } from '../../../src/engine/definition.ts';
import { postgres } from '../../../src/engine/postgres/index.ts';
import { createSqliteEngine, type SqliteEngineOptions, sqlite } from '../../../src/engine/sqlite/index.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { defaults } from '../journal.ts';
import type { TestDatabase } from '../postgres/database.ts';

/** The time of day, which no test moves. */
export const clock = { now: Date.now, advance() {} };

const noSchema = { schema: undefined };

export async function newPath(t: Test, name = 'pullcord.db'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-copy-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, name);
}

export function openJournal(path: string, options: Partial<SqliteEngineOptions> = {}): Promise<OpenedEngine> {
  return createSqliteEngine({ ...defaults, path, ...options }, { log: recordingLog() });
}

export function sourceOf(kind: 'sqlite' | 'postgres', address: string): Promise<CopySource> {
  const { copying } = kind === 'sqlite' ? sqlite : postgres;
  return copying === undefined ? Promise.reject(new Error('no copying')) : copying.openSource(address, noSchema);
}

export function targetOf(kind: 'sqlite' | 'postgres', address: string): Promise<CopyTarget> {
  const { copying } = kind === 'sqlite' ? sqlite : postgres;
  return copying === undefined ? Promise.reject(new Error('no copying')) : copying.openTarget(address, noSchema);
}

export type Place = readonly ['sqlite' | 'postgres', string];

export async function copy(
  from: Place,
  to: Place,
  onProgress: (progress: CopyProgress) => void = () => {},
): Promise<CopyCounts> {
  const source = await sourceOf(...from);
  try {
    const target = await targetOf(...to);
    try {
      return await copyStore(source, target, onProgress);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Opens an engine at a place, as a gateway does. */
export function open([kind, address]: Place, database: TestDatabase): Promise<OpenedEngine> {
  return kind === 'sqlite' ? openJournal(address) : database.open({ lease: 1000 });
}
