import assert from 'node:assert/strict';
import type { RunOutcome, RunPolicy } from '../types/index.ts';
import { type ConformanceCase, ended, endedInTime, keepAll, newClaim, newRun, promise, until } from './harness.ts';
import { success, Worker } from './worker.ts';

const again: RunOutcome = { kind: 'retry', message: 'the agent answered 503', delayMs: 1 };

export const retryCases: readonly ConformanceCase[] = [
  promise('a retried run keeps its id, and records its failed attempts', async (harness) => {
    const { engine, clock } = harness;
    const seen: [string, number][] = [];
    const begun = clock.now();
    const times: { readonly startedAt: number | undefined; readonly endedAt: number }[] = [];
    await engine.start({
      execute(run) {
        seen.push([run.id, run.attempt]);
        times.push({ startedAt: run.startedAt, endedAt: clock.now() });
        return run.attempt < 3 ? again : success;
      },
    });
    const run = newRun(harness);
    await engine.submit(run, newClaim());
    for (const failed of [1, 2]) {
      await until(async () => ((await engine.get(run.id))?.failedAttempts.length ?? 0) >= failed || undefined);
      clock.advance(1);
    }
    const record = await ended(harness, run.id);
    assert.deepEqual(
      seen,
      [1, 2, 3].map((attempt) => [run.id, attempt]),
    );
    const message = 'the agent answered 503';
    assert.deepEqual(
      record.failedAttempts,
      times.slice(0, 2).map((time, index) => ({ attempt: index + 1, ...time, message })),
    );
    assert.equal(times[0]?.startedAt, begun);
    assert.ok(times.every(({ startedAt = Infinity, endedAt }) => startedAt >= begun && startedAt <= endedAt));
    assert.equal(record.state, 'succeeded');
    assert.equal(record.attempt, 3);
    assert.deepEqual(await engine.get(run.id), record);
  }),

  promise('what the agent said of failures is kept if the policy keeps inputs and masks none', async (harness) => {
    const { engine } = harness;
    await engine.start({
      execute: ({ attempt }) =>
        attempt === 1
          ? { ...again, detail: 'first' }
          : { kind: 'failed', message: 'the agent answered 400', retryable: false, detail: 'second' },
    });
    const details = async (policy: Partial<RunPolicy>) => {
      const run = newRun(harness, { policy: { ...keepAll, ...policy } });
      await engine.submit(run, undefined);
      const record = await endedInTime(harness, run.id);
      assert.deepEqual((await engine.get(run.id))?.failureDetail, record.failureDetail);
      return [...record.failedAttempts.map(({ detail }) => detail), record.failureDetail];
    };
    assert.deepEqual(await details({}), ['first', 'second']);
    assert.deepEqual(await details({ keep: 'metadata' }), [undefined, undefined]);
    assert.deepEqual(await details({ mask: ['/instruction'] }), [undefined, undefined]);
  }),

  promise('each attempt has the origin that was submitted, which the policy may drop at the end', async (harness) => {
    const { engine } = harness;
    const seen: unknown[] = [];
    await engine.start({
      execute(run) {
        seen.push(run.origin);
        return run.attempt === 1 ? again : success;
      },
    });
    const request = { method: 'POST', headers: { origin: 'https://shop.example.com' }, query: {}, ip: '192.0.2.1' };
    const origin = { request, caller: { id: 'website', claims: {} }, event: { name: 'push' } };
    const [kept, dropped] = [
      newRun(harness, { origin }),
      newRun(harness, { origin, policy: { ...keepAll, keep: 'metadata' } }),
    ];
    for (const run of [kept, dropped]) {
      await engine.submit(run, undefined);
      await endedInTime(harness, run.id);
    }
    assert.deepEqual(seen, [origin, origin, origin, origin]);
    assert.deepEqual((await engine.get(kept.id))?.origin, origin);
    assert.equal((await engine.get(dropped.id))?.origin, undefined);
  }),

  promise('a run that waits for its retry is queued, holds its claim and can be cancelled', async (harness) => {
    const { engine, clock } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    await engine.submit(run, newClaim());
    (await worker.started(run.id)).settle({ ...again, delayMs: 3_600_000 });
    const record = await until(async () => {
      const current = await engine.get(run.id);
      return current?.state === 'queued' ? current : undefined;
    });
    assert.equal(record.retryAt, clock.now() + 3_600_000);
    assert.equal(record.attempt, 1);
    assert.deepEqual(await engine.submit(newRun(harness), newClaim()), { kind: 'duplicate', runId: run.id });
    assert.deepEqual(await engine.cancel(run.id), { kind: 'cancelled' });
    assert.equal((await engine.get(run.id))?.retryAt, undefined);
    assert.equal(worker.attempts.length, 1);
  }),

  promise('a run that waits for its retry frees its place for other runs', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start({ execute: worker.execute, concurrencyOf: () => ({ limit: 1, isPerValue: false }) });
    const [first, second] = [newRun(harness), newRun(harness)];
    await engine.submit(first, undefined);
    await engine.submit(second, undefined);
    (await worker.started(first.id)).settle({ ...again, delayMs: 3_600_000 });
    (await worker.started(second.id)).settle(success);
    assert.equal((await ended(harness, second.id)).state, 'succeeded');
  }),
];
