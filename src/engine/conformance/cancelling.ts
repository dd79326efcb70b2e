import assert from 'node:assert/strict';
import { type ConformanceCase, ended, foreverMs, loaded, newClaim, newRun, promise } from './harness.ts';
import { failure, success, Worker } from './worker.ts';

export const cancelCases: readonly ConformanceCase[] = [
  promise('a run that is cancelled while queued never starts', async (harness) => {
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

  promise('cancelling a running run aborts its signal, ends it at once and answers its waiters', async (harness) => {
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

  promise('an outcome that arrives after the cancellation is ignored', async (harness) => {
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
      // Once another run has been executed from start to end, the late outcome has arrived too.
      const other = newRun(harness);
      await engine.submit(other, undefined);
      (await worker.started(other.id)).settle(success);
      await ended(harness, other.id);
      assert.deepEqual(await engine.get(run.id), record);
    }
  }),

  promise('an executor can cancel its own run', async (harness) => {
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

  promise('cancelling a final run changes nothing and returns its state', async (harness) => {
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

  promise('a run is cancelled only once', async (harness) => {
    const { engine } = harness;
    const run = newRun(harness);
    await engine.submit(run, undefined);
    assert.deepEqual(await engine.cancel(run.id), { kind: 'cancelled' });
    assert.deepEqual(await engine.cancel(run.id), { kind: 'already_final', state: 'cancelled' });
  }),

  promise('a run that is cancelled while its submission is being refused counts once', async (harness) => {
    const { engine } = harness;
    await engine.submit(newRun(harness), newClaim());
    const duplicate = newRun(harness);
    const submitted = engine.submit(duplicate, newClaim());
    await engine.cancel(duplicate.id);
    assert.equal((await submitted).kind, 'duplicate');
    await loaded(harness, { queued: 1, running: 0 });
    assert.equal(await engine.get(duplicate.id), undefined);
  }),

  promise('cancelling an unknown run returns not_found', async (harness) => {
    assert.deepEqual(await harness.engine.cancel(newRun(harness).id), { kind: 'not_found' });
  }),
];
