import assert from 'node:assert/strict';
import type { ConformanceHarness } from './harness.ts';
import { type ConformanceCase, newClaim, newRun, promise } from './harness.ts';
import { Worker } from './worker.ts';

const hourMs = 3_600_000;

/** The answer to a run by a credential that may be used `limit` times. */
async function use(harness: ConformanceHarness, id: string, limit: number, claim?: ReturnType<typeof newClaim>) {
  const run = newRun(harness, { uses: { id, limit, until: harness.clock.now() + hourMs } });
  const { kind } = await harness.engine.submit(run, claim);
  return { kind, isStored: (await harness.engine.get(run.id)) !== undefined };
}

const accepted = { kind: 'accepted', isStored: true };
const usedUp = { kind: 'used_up', isStored: false };

export const useCases: readonly ConformanceCase[] = [
  promise('a credential starts as many runs as it may, and nothing of the next one is stored', async (harness) => {
    for (let count = 0; count < 3; count += 1) assert.deepEqual(await use(harness, 'one', 3), accepted);
    for (let count = 0; count < 2; count += 1) assert.deepEqual(await use(harness, 'one', 3), usedUp);
    assert.deepEqual(await use(harness, 'another', 1), accepted);
    assert.equal((await harness.engine.submit(newRun(harness), undefined)).kind, 'accepted');
  }),

  promise('of 100 concurrent runs of a credential with 7 uses 7 are accepted', async (harness) => {
    const { engine, clock } = harness;
    await engine.start(new Worker());
    const uses = { id: 'one', limit: 7, until: clock.now() + hourMs };
    const runs = Array.from({ length: 100 }, () => newRun(harness, { uses }));
    const kinds = (await Promise.all(runs.map((run) => engine.submit(run, undefined)))).map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === 'accepted').length, 7);
    assert.equal(kinds.filter((kind) => kind === 'used_up').length, 93);
  }),

  promise('a duplicate is no use, and a credential that is used up claims nothing', async (harness) => {
    const first = newClaim({ fingerprint: 'first' });
    const second = newClaim({ fingerprint: 'second' });
    assert.deepEqual(await use(harness, 'one', 2, first), accepted);
    assert.deepEqual(await use(harness, 'one', 2, first), { kind: 'duplicate', isStored: false });
    assert.deepEqual(await use(harness, 'one', 2), accepted);
    assert.deepEqual(await use(harness, 'one', 2, second), usedUp);
    assert.deepEqual(await use(harness, 'another', 1, second), accepted);
  }),

  promise('a run that is cancelled has used its credential', async (harness) => {
    const uses = { id: 'one', limit: 1, until: harness.clock.now() + hourMs };
    const run = newRun(harness, { uses });
    assert.equal((await harness.engine.submit(run, undefined)).kind, 'accepted');
    await harness.engine.cancel(run.id);
    assert.deepEqual(await use(harness, 'one', 1), usedUp);
  }),

  promise('uses are counted until the credential ends', async (harness) => {
    assert.deepEqual(await use(harness, 'one', 1), accepted);
    harness.clock.advance(hourMs - 1);
    assert.deepEqual(await use(harness, 'one', 1), usedUp);
  }),
];
