import assert from 'node:assert/strict';
import { type ConformanceCase, ended, foreverMs, newRun, promise } from './harness.ts';
import { failure, success, Worker } from './worker.ts';

export const cancelCases: readonly ConformanceCase[] = [
  promise('never starts a run that was cancelled while queued', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const [cancelled, other] = [newRun(harness), newRun(harness)];
    await engine.submit(cancelled, undefined);
    await engine.submit(other, undefined);
    assert.deepEqual(await engine.cancel(cancelled.id), { kind: 'cancelled' });
    const record = await engine.get(cancelled.id);
    assert.equal(record?.state, 'cancelled');
    assert.equal(record?.attempt, 0);
    assert.equal(record?.startedAt, undefined);
    await engine.start(worker);
    await worker.started(other.id);
    assert.deepEqual(
      worker.attempts.map(({ run }) => run.id),
      [other.id],
    );
  }),

  promise('aborts a running run, ends it at once and tells those who wait', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const { signal } = await worker.started(run.id);
    const wait = engine.wait(run.id, foreverMs);
    assert.deepEqual(await engine.cancel(run.id), { kind: 'cancelled' });
    assert.equal(signal.aborted, true);
    assert.equal((await wait)?.state, 'cancelled');
    const record = await engine.get(run.id);
    assert.equal(record?.state, 'cancelled');
    assert.equal(record?.finishedAt, harness.clock.now());
  }),

  promise('ignores what comes of a run after it was cancelled', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const late = [() => success, () => failure, () => Promise.reject(new Error('aborted'))];
    for (const outcome of late) {
      const run = newRun(harness);
      await engine.submit(run, undefined);
      const attempt = await worker.started(run.id);
      await engine.cancel(run.id);
      const record = structuredClone(await engine.get(run.id));
      attempt.settle(outcome());
      // By the time that another run has gone all the way, the late outcome has come too.
      const other = newRun(harness);
      await engine.submit(other, undefined);
      (await worker.started(other.id)).settle(success);
      await ended(harness, other.id);
      assert.deepEqual(await engine.get(run.id), record);
    }
  }),

  promise('lets an executor cancel its own run', async (harness) => {
    const { engine } = harness;
    await engine.start({
      async execute(run) {
        await engine.cancel(run.id);
        return success;
      },
    });
    const run = newRun(harness);
    await engine.submit(run, undefined);
    assert.equal((await ended(harness, run.id)).state, 'cancelled');
  }),

  promise('leaves a final run as it is and says in which state it ended', async (harness) => {
    const { engine } = harness;
    const outcomes = [success, failure];
    await engine.start({ execute: () => outcomes.shift() ?? failure });
    for (const state of ['succeeded', 'failed'] as const) {
      const run = newRun(harness);
      await engine.submit(run, undefined);
      const record = structuredClone(await ended(harness, run.id));
      assert.deepEqual(await engine.cancel(run.id), { kind: 'already_final', state });
      assert.deepEqual(await engine.get(run.id), record);
    }
  }),

  promise('cancels a run once', async (harness) => {
    const { engine } = harness;
    const run = newRun(harness);
    await engine.submit(run, undefined);
    assert.deepEqual(await engine.cancel(run.id), { kind: 'cancelled' });
    assert.deepEqual(await engine.cancel(run.id), { kind: 'already_final', state: 'cancelled' });
  }),

  promise('says of a run that it does not know that it was not found', async (harness) => {
    assert.deepEqual(await harness.engine.cancel(newRun(harness).id), { kind: 'not_found' });
  }),
];
