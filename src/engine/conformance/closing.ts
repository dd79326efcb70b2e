import assert from 'node:assert/strict';
import { type ConformanceCase, foreverMs, newClaim, newRun, promise } from './harness.ts';
import { success, Worker } from './worker.ts';

export const closeCases: readonly ConformanceCase[] = [
  promise('a running run can end while the engine drains', async (harness) => {
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

  promise('submissions are refused while the engine closes and after', async (harness) => {
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

  promise('runs that outlast the drain timeout are aborted, and their waiters are answered', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const runs = [newRun(harness), newRun(harness)];
    for (const run of runs) await engine.submit(run, undefined);
    const attempts = await Promise.all(runs.map((run) => worker.started(run.id)));
    const waits = runs.map((run) => engine.wait(run.id, foreverMs));
    await engine.close(1);
    for (const { signal } of attempts) assert.equal(signal.aborted, true);
    // The state depends on the engine: a durable one resumes the runs at its next start, another one fails them.
    for (const record of await Promise.all(waits)) assert.ok(runs.some((run) => run.id === record?.id));
  }),

  promise('closing does not wait for queued runs', async (harness) => {
    const { engine } = harness;
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const wait = engine.wait(run.id, foreverMs);
    await engine.close(foreverMs);
    assert.equal((await wait)?.id, run.id);
  }),

  promise('an engine that can store runs says so, and closing does not break it', async (harness) => {
    const { engine } = harness;
    let isBroken = false;
    void engine.broken.then(() => {
      isBroken = true;
    });
    await engine.start({ execute: () => success });
    assert.deepEqual(await engine.health(), { kind: 'fine' });
    await engine.close(0);
    assert.equal(isBroken, false);
  }),

  promise('closing twice, also concurrently, does no harm', async (harness) => {
    const { engine } = harness;
    await engine.start({ execute: () => success });
    await Promise.all([engine.close(0), engine.close(0)]);
    await engine.close(0);
  }),
];
