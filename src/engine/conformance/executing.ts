import assert from 'node:assert/strict';
import type { RunRecord } from '../types/index.ts';
import { type ConformanceCase, ended, newClaim, newRun, promise } from './harness.ts';
import { failure, success, Worker } from './worker.ts';

export const executionCases: readonly ConformanceCase[] = [
  promise(
    'runs submitted before the start stay queued, then start in the order of their submission',
    async (harness) => {
      const { engine } = harness;
      const runs = Array.from({ length: 20 }, () => newRun(harness));
      for (const run of runs) await engine.submit(run, undefined);
      for (const run of runs) assert.equal((await engine.get(run.id))?.state, 'queued');
      const started: string[] = [];
      await engine.start({
        execute(run) {
          started.push(run.id);
          return success;
        },
      });
      for (const run of runs) assert.equal((await ended(harness, run.id)).state, 'succeeded');
      assert.deepEqual(
        started,
        runs.map((run) => run.id),
      );
    },
  ),

  promise('the executor receives the run as it was submitted, running its first attempt', async (harness) => {
    const worker = new Worker();
    await harness.engine.start(worker);
    const run = newRun(harness, { sessionId: 'conversation 1', input: { environment: 'api', language: 'de', n: [1] } });
    await harness.engine.submit(run, newClaim());
    const attempt = await worker.started(run.id);
    const { policy, ...submitted } = run;
    assert.deepEqual(attempt.run, {
      ...submitted,
      origin: run.origin,
      state: 'running',
      attempt: 1,
      startedAt: harness.clock.now(),
      finishedAt: undefined,
      retryAt: undefined,
      failedAttempts: [],
      interruptions: 0,
      output: undefined,
      failure: undefined,
      failureDetail: undefined,
      usage: undefined,
      cost: undefined,
    } satisfies RunRecord);
    assert.equal(attempt.signal.aborted, false);
  }),

  promise('a run is started only once', async (harness) => {
    const worker = new Worker();
    const run = newRun(harness);
    await harness.engine.submit(run, undefined);
    await harness.engine.start(worker);
    (await worker.started(run.id)).settle(success);
    await ended(harness, run.id);
    assert.equal(worker.attempts.length, 1);
  }),

  promise('the output of a run is kept, whether the executor returns it or a promise of it', async (harness) => {
    const { engine, clock } = harness;
    const outcome = { kind: 'succeeded', output: { list: [1, null, 'é'], deep: { is: true } } } as const;
    let isLater = false;
    await engine.start({ execute: () => (isLater ? Promise.resolve(outcome) : outcome) });
    for (isLater of [false, true]) {
      const run = newRun(harness);
      await engine.submit(run, undefined);
      const record = await ended(harness, run.id);
      assert.equal(record.state, 'succeeded');
      assert.deepEqual(record.output, outcome.output);
      assert.equal(record.failure, undefined);
      assert.equal(record.attempt, 1);
      assert.equal(record.finishedAt, clock.now());
    }
  }),

  promise('a run may take a day and holds its claim meanwhile', async (harness) => {
    const { engine, clock } = harness;
    const dayMs = 86_400_000;
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    await engine.submit(run, newClaim({ windowMs: 3_600_000 }));
    const attempt = await worker.started(run.id);
    for (let hour = 0; hour < 24; hour += 1) {
      clock.advance(dayMs / 24);
      assert.equal((await engine.submit(newRun(harness), newClaim({ windowMs: 3_600_000 }))).kind, 'duplicate');
      assert.equal((await engine.get(run.id))?.state, 'running');
    }
    assert.equal(attempt.signal.aborted, false);
    attempt.settle(success);
    const record = await ended(harness, run.id);
    assert.equal(record.state, 'succeeded');
    assert.equal((record.finishedAt ?? 0) - (record.startedAt ?? 0), dayMs);
    assert.equal(record.attempt, 1);
  }),

  promise('the failure that the executor reports is kept', async (harness) => {
    await harness.engine.start({ execute: () => failure });
    const run = newRun(harness);
    await harness.engine.submit(run, undefined);
    const record = await ended(harness, run.id);
    assert.equal(record.state, 'failed');
    assert.deepEqual(record.failure, { message: 'the agent answered 500', retryable: true });
    assert.equal(record.output, undefined);
  }),

  promise(
    'a run whose executor throws or rejects fails without details of the error, and later runs succeed',
    async (harness) => {
      const { engine } = harness;
      const secret = 'card 4111 1111 1111 1111';
      const executors = [
        () => {
          throw new Error(secret);
        },
        () => Promise.reject(new Error(secret)),
        () => success,
      ];
      await engine.start({ execute: () => (executors.shift() ?? (() => failure))() });
      for (const state of ['failed', 'failed', 'succeeded']) {
        const run = newRun(harness);
        await engine.submit(run, newClaim());
        const record = await ended(harness, run.id);
        assert.equal(record.state, state);
        assert.ok(!JSON.stringify(record).includes(secret));
        if (state === 'failed') assert.equal(record.failure?.retryable, false);
      }
    },
  ),

  promise('records that were returned do not change later', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const run = newRun(harness);
    const given: (RunRecord | undefined)[] = [];
    const seen: (RunRecord | undefined)[] = [];
    const look = async (): Promise<void> => {
      const records = [
        await engine.get(run.id),
        ...(await engine.list({ limit: 10 })),
        ...worker.attempts.map((it) => it.run),
      ];
      given.push(...records);
      seen.push(...records.map((record) => structuredClone(record)));
    };
    await engine.submit(run, undefined);
    await look();
    await engine.start(worker);
    const attempt = await worker.started(run.id);
    await look();
    attempt.settle(success);
    await ended(harness, run.id);
    await look();
    assert.deepEqual(given, seen);
    assert.deepEqual([...new Set(given.map((record) => record?.state))], ['queued', 'running', 'succeeded']);
  }),
];
