import assert from 'node:assert/strict';
import type { Executor, RunRecord } from '../types/index.ts';
import { type ConformanceCase, type ConformanceHarness, ended, newClaim, newRun, promise, until } from './harness.ts';
import { failure, success, Worker } from './worker.ts';

/** The ends that the engine reports to a worker, which it starts with. */
async function reported(
  { engine }: ConformanceHarness,
  worker: Worker,
  more: Partial<Executor> = {},
): Promise<readonly RunRecord[]> {
  const ends: RunRecord[] = [];
  await engine.start({ execute: worker.execute, ended: (run) => void ends.push(run), ...more });
  return ends;
}

/** Resolves when this number of ends was reported, and what follows an end has been too. */
async function settled(harness: ConformanceHarness, ends: readonly RunRecord[], count: number): Promise<void> {
  await until(async () => ends.length >= count || undefined);
  // Whatever is reported twice would be by now.
  const last = newRun(harness);
  await harness.engine.submit(last, undefined);
  await harness.engine.cancel(last.id);
  await until(async () => ends.some(({ id }) => id === last.id) || undefined);
  assert.equal(ends.length, count + 1);
}

export const reportCases: readonly ConformanceCase[] = [
  promise('the end of a run is reported once, with its state and attempts', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const ends = await reported(harness, worker);
    const outcomes = [success, { ...success, kind: 'input_required' }, failure] as const;
    const runs = outcomes.map(() => newRun(harness, { requestId: 'request-1' }));
    for (const [index, run] of runs.entries()) {
      await engine.submit(run, undefined);
      const attempt = await worker.started(run.id);
      assert.equal(ends.length, index);
      attempt.settle(outcomes[index] ?? failure);
      await ended(harness, run.id);
      await until(async () => ends.length > index || undefined);
    }
    assert.deepEqual(
      ends.map(({ id, state, attempt, caller, trigger, requestId }) => [
        id,
        state,
        attempt,
        caller,
        trigger,
        requestId,
      ]),
      runs.map(({ id, caller, trigger }, index) => {
        const state = ['succeeded', 'input_required', 'failed'][index];
        return [id, state, 1, caller, trigger, 'request-1'];
      }),
    );
    assert.ok(ends.every(({ finishedAt }) => finishedAt === harness.clock.now()));
    await settled(harness, ends, 3);
  }),

  promise('an attempt that is retried is no end', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const ends = await reported(harness, worker);
    const run = newRun(harness);
    await engine.submit(run, undefined);
    (await worker.started(run.id)).settle({ kind: 'retry', message: 'busy', delayMs: 0 });
    await until(async () => worker.attempts[1]);
    assert.equal(ends.length, 0);
    worker.attempts[1]?.settle(success);
    await ended(harness, run.id);
    await until(async () => ends[0]);
    assert.deepEqual([ends[0]?.state, ends[0]?.attempt], ['succeeded', 2]);
    await settled(harness, ends, 1);
  }),

  promise('a run that is cancelled is reported once, queued or running, and a late outcome is not', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const ends = await reported(harness, worker, { concurrencyOf: () => ({ limit: 1, isPerValue: false }) });
    const [running, queued] = [newRun(harness), newRun(harness)];
    await engine.submit(running, undefined);
    const attempt = await worker.started(running.id);
    await engine.submit(queued, undefined);
    await Promise.all([engine.cancel(queued.id), engine.cancel(queued.id)]);
    await until(async () => ends[0]);
    await engine.cancel(running.id);
    attempt.settle(success);
    await engine.cancel(running.id);
    await until(async () => ends[1]);
    assert.deepEqual(
      ends.map(({ id, state, attempt }) => [id, state, attempt]),
      [
        [queued.id, 'cancelled', 0],
        [running.id, 'cancelled', 1],
      ],
    );
    await settled(harness, ends, 2);
  }),

  promise('runs that another one replaces are reported, and one whose policy keeps nothing too', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const ends = await reported(harness, worker);
    const named = { sessionId: 'conversation 1' };
    const policy = { keep: 'none', mask: [], sessionTtlMs: 1000, notify: false } as const;
    const runs = [newRun(harness, named), newRun(harness, { ...named, policy })];
    for (const run of runs) await engine.submit(run, undefined);
    const next = newRun(harness, { ...named, onBusy: 'replace' });
    await engine.submit(next, undefined);
    await until(async () => ends.length === 2 || undefined);
    assert.deepEqual(new Set(ends.map(({ id }) => id)), new Set(runs.map(({ id }) => id)));
    assert.ok(ends.every(({ state }) => state === 'cancelled'));
    (await worker.started(next.id)).settle(success);
    await settled(harness, ends, 3);
  }),

  promise('a run that was refused has no end, even if it is cancelled meanwhile', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const ends = await reported(harness, worker);
    await engine.submit(newRun(harness), newClaim());
    const duplicate = newRun(harness);
    const submitted = engine.submit(duplicate, newClaim());
    await engine.cancel(duplicate.id);
    assert.equal((await submitted).kind, 'duplicate');
    await settled(harness, ends, 0);
  }),
];
