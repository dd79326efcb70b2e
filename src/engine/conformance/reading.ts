import assert from 'node:assert/strict';
import type { RunOutcome, RunQuery } from '../types/index.ts';
import { type ConformanceCase, ended, keepAll, newRun, promise, trace } from './harness.ts';
import { failure, success, Worker } from './worker.ts';

export const readCases: readonly ConformanceCase[] = [
  promise('a queued run is read exactly as it was submitted', async (harness) => {
    const { engine } = harness;
    const input = {
      environment: 'api',
      language: 'en',
      ü: ['\u2028', 1e300, null, { 'a/b': false }],
      toString: 'own',
    };
    const run = newRun(harness, { sessionId: 'conversation 1', input });
    await engine.submit(run, undefined);
    const { policy, ...submitted } = run;
    assert.deepEqual(await engine.get(run.id), {
      ...submitted,
      state: 'queued',
      attempt: 0,
      startedAt: undefined,
      finishedAt: undefined,
      retryAt: undefined,
      failedAttempts: [],
      interruptions: 0,
      output: undefined,
      failure: undefined,
      failureDetail: undefined,
      usage: undefined,
      cost: undefined,
    });
  }),

  promise('the input of a run can be read while it waits, is executed and has ended', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start({ execute: worker.execute, concurrencyOf: () => ({ limit: 1, isPerValue: false }) });
    const [first, second] = [newRun(harness), newRun(harness)];
    for (const run of [first, second]) await engine.submit(run, undefined);
    const inputs = async () => {
      const read = await Promise.all([first, second].map(({ id }) => engine.get(id)));
      const listed = await engine.list({ limit: 2 });
      return [...read, ...listed.toReversed()].map((record) => record?.input);
    };
    const all = [first.input, second.input, first.input, second.input];
    assert.deepEqual(await inputs(), all);
    (await worker.started(first.id)).settle({ kind: 'retry', message: 'the agent answered 503', delayMs: 3_600_000 });
    const attempt = await worker.started(second.id);
    assert.deepEqual(attempt.run.input, second.input);
    assert.deepEqual(await inputs(), all, 'one waits for its next attempt');
    attempt.settle(success);
    await ended(harness, second.id);
    await engine.cancel(first.id);
    assert.deepEqual(await inputs(), all);
  }),

  promise('no run is a suspect, whatever its state, while its process lives', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const runs = [newRun(harness), newRun(harness), newRun(harness)];
    for (const run of runs) await engine.submit(run, undefined);
    const [first] = runs;
    (await worker.started(first?.id ?? '')).settle(success);
    assert.deepEqual(await engine.list({ state: 'suspect', limit: 10 }), []);
    assert.equal((await engine.list({ limit: 10 })).length, 3);
  }),

  promise('a run that was not submitted is not found', async (harness) => {
    const { engine } = harness;
    await engine.submit(newRun(harness), undefined);
    for (const id of [newRun(harness).id, '', '__proto__']) assert.equal(await engine.get(id), undefined);
  }),

  promise('runs are listed newest first, and by id within a millisecond', async (harness) => {
    const { engine, clock } = harness;
    const runs = [];
    for (const step of [0, 1, 0, -5, 10, 0]) {
      clock.advance(step);
      const run = newRun(harness);
      runs.push(run);
      await engine.submit(run, undefined);
    }
    const sorted = runs.toSorted((one, other) => other.acceptedAt - one.acceptedAt || (one.id < other.id ? 1 : -1));
    const expected = sorted.map((run) => run.id);
    const idsOf = async (limit: number) => (await engine.list({ limit })).map((run) => run.id);
    assert.deepEqual(await idsOf(100), expected);
    assert.deepEqual(await idsOf(2), expected.slice(0, 2));
    assert.deepEqual(await idsOf(0), []);
  }),

  promise('runs are listed by project, trigger, state and time, and by all of them together', async (harness) => {
    const { engine, clock } = harness;
    const start = clock.now();
    const outcomes = new Map<string, RunOutcome>([
      ['refund', success],
      ['Refund', failure],
    ]);
    await engine.start({ execute: (run) => outcomes.get(run.trigger) ?? failure });
    for (const project of ['support', 'sales']) {
      for (const trigger of ['refund', 'Refund']) {
        const run = newRun(harness, { project, trigger });
        await engine.submit(run, undefined);
        await ended(harness, run.id);
        clock.advance(1000);
      }
    }
    const find = async (query: Omit<RunQuery, 'limit'>) => {
      const found = await engine.list({ ...query, limit: 10 });
      return found.map(({ project, trigger }) => `${project}/${trigger}`);
    };
    assert.deepEqual(await find({}), ['sales/Refund', 'sales/refund', 'support/Refund', 'support/refund']);
    assert.deepEqual(await find({ project: 'support' }), ['support/Refund', 'support/refund']);
    assert.deepEqual(await find({ trigger: 'refund' }), ['sales/refund', 'support/refund']);
    assert.deepEqual(await find({ state: 'failed' }), ['sales/Refund', 'support/Refund']);
    assert.deepEqual(await find({ state: 'running' }), []);
    assert.deepEqual(await find({ since: start + 2000 }), ['sales/Refund', 'sales/refund']);
    assert.deepEqual(await find({ since: start + 2001 }), ['sales/Refund']);
    assert.deepEqual(await find({ project: 'sales', trigger: 'refund', state: 'succeeded', since: start }), [
      'sales/refund',
    ]);
    assert.deepEqual(await find({ project: 'sales', trigger: 'refund', state: 'failed' }), []);
    assert.deepEqual(await find({ project: 'nobody' }), []);
  }),

  promise(
    'the run of a request is found by the id of the request, and has the secret that its caller used',
    async (harness) => {
      const { engine } = harness;
      const policy = { ...keepAll, keep: 'metadata' } as const;
      const [run, other] = [newRun(harness, { policy }), newRun(harness, { secret: undefined, requestId: undefined })];
      for (const one of [run, other]) await engine.submit(one, undefined);
      await engine.start({ execute: () => success });
      for (const one of [run, other]) await ended(harness, one.id);
      const { requestId = '' } = run;
      const found = await engine.list({ requestId, limit: 10 });
      assert.deepEqual(
        found.map(({ id, secret, requestId }) => ({ id, secret, requestId })),
        [{ id: run.id, secret: 'secrets[1]', requestId }],
      );
      for (const query of [{ state: 'failed' }, { trigger: 'nothing' }, { state: 'suspect' }] as const) {
        assert.deepEqual(await engine.list({ ...query, requestId, limit: 10 }), []);
      }
      assert.deepEqual(await engine.list({ requestId: `${requestId}0`, limit: 10 }), []);
      const without = await engine.get(other.id);
      assert.deepEqual([without?.secret, without?.requestId], [undefined, undefined]);
    },
  ),

  promise('a run keeps its place in a trace, for each attempt, and when it is final', async (harness) => {
    const { engine } = harness;
    const policy = { ...keepAll, keep: 'metadata' } as const;
    const [traced, plain] = [newRun(harness, { policy, trace }), newRun(harness)];
    const seen: unknown[] = [];
    await engine.start({
      execute(run) {
        if (run.id === traced.id) seen.push(run.trace);
        return run.attempt === 1 ? { kind: 'retry', message: 'busy', delayMs: 0 } : success;
      },
    });
    for (const one of [traced, plain]) await engine.submit(one, undefined);
    for (const one of [traced, plain]) await ended(harness, one.id);
    assert.deepEqual(seen, [trace, trace]);
    assert.deepEqual((await engine.get(traced.id))?.trace, trace);
    assert.equal((await engine.get(plain.id))?.trace, undefined);
  }),
];
