import assert from 'node:assert/strict';
import { type ConformanceCase, ended, keepAll, loaded, newRun, promise, until } from './harness.ts';
import { failure, success, Worker } from './worker.ts';

export const limitCases: readonly ConformanceCase[] = [
  promise('the concurrency of a trigger is limited without blocking other triggers', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start({
      execute: worker.execute,
      concurrencyOf: (_, trigger) => ({ limit: trigger === 'narrow' ? 2 : 10, isPerValue: false }),
    });
    const narrow = Array.from({ length: 5 }, () => newRun(harness, { trigger: 'narrow' }));
    for (const run of narrow) await engine.submit(run, undefined);
    const other = newRun(harness, { trigger: 'wide' });
    await engine.submit(other, undefined);
    await worker.started(other.id);
    for (const [index, run] of narrow.entries()) {
      const attempt = await worker.started(run.id);
      const running = worker.attempts.filter((one) => one.run.trigger === 'narrow').length - index;
      assert.ok(running <= 2, `${running} at once`);
      await until(async () => {
        const queued = await engine.list({ trigger: 'narrow', state: 'queued', limit: 10 });
        return queued.length === Math.max(0, 5 - 2 - index) ? true : undefined;
      });
      attempt.settle(success);
      await ended(harness, run.id);
      const next = narrow[index + 2];
      if (next !== undefined) await worker.started(next.id);
    }
  }),

  promise('the concurrency of a trigger can be limited for each value, and values take turns', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start({ execute: worker.execute, concurrencyOf: () => ({ limit: 2, isPerValue: true }) });
    const many = Array.from({ length: 5 }, () => newRun(harness, { concurrencyValue: 'many' }));
    const few = newRun(harness, { concurrencyValue: 'few' });
    for (const run of [...many, few]) await engine.submit(run, undefined);
    await worker.started(few.id);
    await loaded(harness, { queued: 3, running: 3 });
    const [first, second, third] = many.map(({ id }) => id);
    (await worker.started(first ?? '')).settle(success);
    await worker.started(third ?? '');
    await loaded(harness, { queued: 2, running: 3 });
    // A place of another value is none of theirs.
    (await worker.started(few.id)).settle(success);
    await ended(harness, few.id);
    await loaded(harness, { queued: 2, running: 2 });
    assert.equal((await engine.get(second ?? ''))?.concurrencyValue, 'many');
  }),

  promise('a limit that is raised starts queued runs when the engine reconsiders', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    let limit = 1;
    await engine.start({ execute: worker.execute, concurrencyOf: () => ({ limit, isPerValue: true }) });
    const runs = Array.from({ length: 3 }, () => newRun(harness, { concurrencyValue: 'a' }));
    for (const run of runs) await engine.submit(run, undefined);
    await loaded(harness, { queued: 2, running: 1 });
    limit = 2;
    engine.reconsider();
    await worker.started(runs[1]?.id ?? '');
    await loaded(harness, { queued: 1, running: 2 });
  }),

  promise('what a policy does not keep includes the value that limits concurrency', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start({ execute: worker.execute });
    const kept = newRun(harness, { concurrencyValue: 'ada' });
    const dropped = newRun(harness, { concurrencyValue: 'ada', policy: { ...keepAll, keep: 'metadata' } });
    const masked = newRun(harness, { concurrencyValue: 'ada', policy: { ...keepAll, mask: ['/instruction'] } });
    for (const run of [kept, dropped, masked]) {
      await engine.submit(run, undefined);
      (await worker.started(run.id)).settle(success);
      await ended(harness, run.id);
    }
    const values = await Promise.all([kept, dropped, masked].map(async ({ id }) => engine.get(id)));
    assert.deepEqual(
      values.map((record) => record?.concurrencyValue),
      ['ada', undefined, undefined],
    );
  }),

  promise(
    'a run starts at its time at the earliest, and does not take the turn of its session before',
    async (harness) => {
      const { engine, clock } = harness;
      const worker = new Worker();
      await engine.start({ execute: worker.execute });
      const startsAt = clock.now() + 20;
      const later = newRun(harness, { startsAt, sessionId: 'one' });
      const atOnce = newRun(harness, { sessionId: 'one' });
      const overdue = newRun(harness, { startsAt: clock.now() - 1 });
      const cancelled = newRun(harness, { startsAt });
      for (const run of [later, atOnce, overdue, cancelled]) await engine.submit(run, undefined);
      (await worker.started(atOnce.id)).settle(success);
      await worker.started(overdue.id);
      await ended(harness, atOnce.id);
      await loaded(harness, { queued: 2, running: 1 });
      const { state, startsAt: shown } = (await engine.get(later.id)) ?? {};
      assert.deepEqual([state, shown], ['queued', startsAt]);
      assert.deepEqual(await engine.cancel(cancelled.id), { kind: 'cancelled' });
      clock.advance(20);
      (await worker.started(later.id)).settle(success);
      await ended(harness, later.id);
      assert.deepEqual(
        worker.attempts.map(({ run }) => run.id),
        [atOnce.id, overdue.id, later.id],
      );
    },
  ),

  promise('runs of a trigger whose agent is down wait, and are tried one at a time', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const circuitOf = (_: string, trigger: string) => (trigger === 'down' ? { failures: 2, pauseMs: 20 } : undefined);
    await engine.start({ execute: worker.execute, circuitOf });
    const runs = Array.from({ length: 5 }, () => newRun(harness, { trigger: 'down' }));
    const [first, second, third, fourth, fifth] = runs.map(({ id }) => id);
    for (const run of runs.slice(0, 2)) await engine.submit(run, undefined);
    for (const id of [first, second]) (await worker.started(id ?? '')).settle(failure);
    await ended(harness, second ?? '');
    assert.deepEqual(engine.openCircuits(), [{ project: 'support', trigger: 'down' }]);
    for (const run of runs.slice(2)) await engine.submit(run, undefined);
    const other = newRun(harness);
    await engine.submit(other, undefined);
    await worker.started(other.id);
    const tried = await worker.started(third ?? '');
    await loaded(harness, { queued: 2, running: 2 });
    tried.settle(failure);
    const probe = await worker.started(fourth ?? '');
    await loaded(harness, { queued: 1, running: 2 });
    probe.settle(success);
    await worker.started(fifth ?? '');
    assert.deepEqual(engine.openCircuits(), []);
  }),

  promise('load counts queued and running runs', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const runs = [newRun(harness), newRun(harness)];
    for (const run of runs) await engine.submit(run, undefined);
    await loaded(harness, { queued: 2, running: 0 });
    await engine.start({ execute: worker.execute, concurrencyOf: () => ({ limit: 1, isPerValue: false }) });
    const [first, second] = runs;
    (await worker.started(first?.id ?? '')).settle(success);
    await worker.started(second?.id ?? '');
    await loaded(harness, { queued: 0, running: 1 });
    await engine.cancel(second?.id ?? '');
    await loaded(harness, { queued: 0, running: 0 });
  }),
];
