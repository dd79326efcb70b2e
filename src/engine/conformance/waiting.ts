import assert from 'node:assert/strict';
import { type ConformanceCase, ended, foreverMs, newRun, promise } from './harness.ts';
import { success, Worker } from './worker.ts';

export const waitCases: readonly ConformanceCase[] = [
  promise('all waiters are answered as soon as the run is final', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const attempt = await worker.started(run.id);
    const waits = Array.from({ length: 50 }, () => engine.wait(run.id, foreverMs));
    attempt.settle(success);
    for (const record of await Promise.all(waits)) assert.equal(record?.state, 'succeeded');
  }),

  promise('waiting for a final run returns at once', async (harness) => {
    const { engine } = harness;
    await engine.start({ execute: () => success });
    const run = newRun(harness);
    await engine.submit(run, undefined);
    await ended(harness, run.id);
    assert.equal((await engine.wait(run.id, 0))?.state, 'succeeded');
    assert.equal((await engine.wait(run.id, foreverMs, AbortSignal.abort()))?.state, 'succeeded');
  }),

  promise('a wait that times out returns the current record, and the run continues', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const attempt = await worker.started(run.id);
    for (const timeoutMs of [0, 1]) assert.equal((await engine.wait(run.id, timeoutMs))?.state, 'running');
    assert.equal(attempt.signal.aborted, false);
    attempt.settle(success);
    assert.equal((await ended(harness, run.id)).state, 'succeeded');
  }),

  promise(
    'a wait that is aborted before or during returns the current record, and the run continues',
    async (harness) => {
      const { engine } = harness;
      const worker = new Worker();
      await engine.start(worker);
      const run = newRun(harness);
      await engine.submit(run, undefined);
      const attempt = await worker.started(run.id);
      assert.equal((await engine.wait(run.id, foreverMs, AbortSignal.abort()))?.state, 'running');
      const leaving = new AbortController();
      const wait = engine.wait(run.id, foreverMs, leaving.signal);
      const other = engine.wait(run.id, foreverMs);
      leaving.abort();
      assert.equal((await wait)?.state, 'running');
      assert.equal(attempt.signal.aborted, false);
      attempt.settle(success);
      assert.equal((await other)?.state, 'succeeded');
    },
  ),

  promise('a wait for a queued run lasts until it was started and is final', async (harness) => {
    const { engine } = harness;
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const wait = engine.wait(run.id, foreverMs);
    await engine.start({ execute: () => success });
    assert.equal((await wait)?.state, 'succeeded');
  }),

  promise('a wait may last longer than the longest timer of Node', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const attempt = await worker.started(run.id);
    const waits = [engine.wait(run.id, 2 ** 31), engine.wait(run.id, Number.POSITIVE_INFINITY)];
    // An overflowing timer fires after 1 ms, long before this wait ends.
    assert.equal((await engine.wait(run.id, 20))?.state, 'running');
    attempt.settle(success);
    for (const record of await Promise.all(waits)) assert.equal(record?.state, 'succeeded');
  }),

  promise('waiting for an unknown run returns undefined at once', async (harness) => {
    assert.equal(await harness.engine.wait(newRun(harness).id, foreverMs), undefined);
  }),
];
