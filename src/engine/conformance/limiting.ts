import assert from 'node:assert/strict';
import { type ConformanceCase, ended, newRun, promise } from './harness.ts';
import { success, Worker } from './worker.ts';

export const limitCases: readonly ConformanceCase[] = [
  promise('the concurrency of a trigger is limited without blocking other triggers', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start({ execute: worker.execute, concurrencyOf: (_, trigger) => (trigger === 'narrow' ? 2 : 10) });
    const narrow = Array.from({ length: 5 }, () => newRun(harness, { trigger: 'narrow' }));
    for (const run of narrow) await engine.submit(run, undefined);
    const other = newRun(harness, { trigger: 'wide' });
    await engine.submit(other, undefined);
    await worker.started(other.id);
    for (const [index, run] of narrow.entries()) {
      const attempt = await worker.started(run.id);
      const running = worker.attempts.filter((one) => one.run.trigger === 'narrow').length - index;
      assert.ok(running <= 2, `${running} at once`);
      const states = await engine.list({ trigger: 'narrow', state: 'queued', limit: 10 });
      assert.equal(states.length, Math.max(0, 5 - 2 - index));
      attempt.settle(success);
      await ended(harness, run.id);
      const next = narrow[index + 2];
      if (next !== undefined) await worker.started(next.id);
    }
  }),

  promise('load counts queued and running runs', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const runs = [newRun(harness), newRun(harness)];
    for (const run of runs) await engine.submit(run, undefined);
    assert.deepEqual(engine.load(), { queued: 2, running: 0 });
    await engine.start({ execute: worker.execute, concurrencyOf: () => 1 });
    const [first, second] = runs;
    (await worker.started(first?.id ?? '')).settle(success);
    await worker.started(second?.id ?? '');
    assert.deepEqual(engine.load(), { queued: 0, running: 1 });
    await engine.cancel(second?.id ?? '');
    assert.deepEqual(engine.load(), { queued: 0, running: 0 });
  }),
];
