import assert from 'node:assert/strict';
import { type ConformanceCase, foreverMs, newClaim, newRun, promise } from './harness.ts';
import { success, Worker } from './worker.ts';

export const closeCases: readonly ConformanceCase[] = [
  promise('lets a running run end while it closes', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const attempt = await worker.started(run.id);
    const wait = engine.wait(run.id, foreverMs);
    const closed = engine.close(foreverMs);
    assert.equal(attempt.signal.aborted, false);
    attempt.settle(success);
    await closed;
    assert.equal((await wait)?.state, 'succeeded');
  }),

  promise('takes no run while it closes and after', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const attempt = await worker.started(run.id);
    const closed = engine.close(foreverMs);
    assert.equal((await engine.submit(newRun(harness), newClaim())).kind, 'unavailable');
    attempt.settle(success);
    await closed;
    assert.equal((await engine.submit(newRun(harness), newClaim())).kind, 'unavailable');
    assert.equal(worker.attempts.length, 1);
  }),

  promise('aborts what still runs when the time to drain is up, and ends all waits', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const runs = [newRun(harness), newRun(harness)];
    for (const run of runs) await engine.submit(run, undefined);
    const attempts = await Promise.all(runs.map((run) => worker.started(run.id)));
    const waits = runs.map((run) => engine.wait(run.id, foreverMs));
    await engine.close(1);
    for (const { signal } of attempts) assert.equal(signal.aborted, true);
    // In which state is the engine's: one that lasts takes the runs up again at its next start, another fails them.
    for (const record of await Promise.all(waits)) assert.ok(runs.some((run) => run.id === record?.id));
  }),

  promise('closes at once when nothing runs, started or not, with runs queued or not', async (harness) => {
    const { engine } = harness;
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const wait = engine.wait(run.id, foreverMs);
    await engine.close(foreverMs);
    assert.equal((await wait)?.id, run.id);
  }),

  promise('can be closed twice, also at once', async (harness) => {
    const { engine } = harness;
    await engine.start({ execute: () => success });
    await Promise.all([engine.close(0), engine.close(0)]);
    await engine.close(0);
  }),
];
