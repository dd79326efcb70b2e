import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type ConformanceHarness, conformanceCases } from '../../src/engine/conformance.ts';
import { createSqliteEngine, type SqliteEngineOptions } from '../../src/engine/sqlite/index.ts';
import { recordingLog } from '../support/gateway.ts';

const defaults: Omit<SqliteEngineOptions, 'path'> = {
  concurrency: 10_000,
  maxQueued: 10_000,
  retention: { age: 3_600_000, count: 10_000 },
};

async function open(options: Partial<SqliteEngineOptions> = {}): Promise<ConformanceHarness> {
  let now = 1_700_000_000_000;
  const clock = {
    now: () => now,
    advance(ms: number) {
      now += ms;
    },
  };
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-'));
  const path = join(folder, 'pullcord.db');
  const engine = await createSqliteEngine({ ...defaults, path, ...options }, { log: recordingLog() }, clock);
  return { engine, clock, dispose: () => rm(folder, { recursive: true }) };
}

t.test('does what every engine must do', (t) => {
  for (const { name, run } of conformanceCases) t.test(name, () => run(() => open()));
  t.end();
});
