import assert from 'node:assert/strict';
import { type ConformanceCase, ended, foreverMs, keepAll, newClaim, newRun, promise, until } from './harness.ts';
import { success, Worker } from './worker.ts';

export const keepCases: readonly ConformanceCase[] = [
  promise('a final run keeps what its policy says, and its submitter receives the whole outcome', async (harness) => {
    const { engine } = harness;
    await engine.start({ execute: () => success });
    for (const keep of ['full', 'metadata', 'none'] as const) {
      const run = newRun(harness, { policy: { ...keepAll, keep } });
      const claim = newClaim({ fingerprint: keep });
      const submission = await engine.submit(run, claim);
      assert.equal(submission.kind, 'accepted');
      const outcome = submission.kind === 'accepted' ? await submission.wait(foreverMs) : undefined;
      assert.deepEqual([outcome?.state, outcome?.output], ['succeeded', { answer: 42 }]);
      const record = await engine.get(run.id);
      const listed = (await engine.list({ limit: 10 })).find(({ id }) => id === run.id);
      assert.deepEqual(listed, record);
      if (keep === 'none') assert.equal(record, undefined);
      else {
        assert.equal(record?.state, 'succeeded');
        assert.deepEqual(
          [record?.input, record?.output],
          keep === 'full' ? [run.input, { answer: 42 }] : [undefined, undefined],
        );
      }
      assert.deepEqual(await engine.submit(newRun(harness), claim), { kind: 'duplicate', runId: run.id });
    }
  }),

  promise('the input of a run is kept until it has ended, whatever its policy', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const run = newRun(harness, { policy: { ...keepAll, keep: 'none' } });
    await engine.submit(run, undefined);
    assert.deepEqual((await engine.get(run.id))?.input, run.input);
    await engine.start(worker);
    assert.deepEqual((await worker.started(run.id)).run.input, run.input);
  }),

  promise('the stored input is masked, and the executed input is not', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const customer = { email: 'ada@example.org', 'a/b~': ['x', 'y'], id: 1 };
    const input = { environment: 'api', language: 'en', customer };
    const mask = ['/customer/email', '/customer/a~1b~0/1', '/customer/phone', '/nothing/there', '/customer/id/x'];
    const masked = { ...input, customer: { email: '***', 'a/b~': ['x', '***'], id: 1 } };
    const runs = [
      newRun(harness, { input, policy: { ...keepAll, mask } }),
      newRun(harness, { input, policy: { ...keepAll, mask } }),
    ];
    const [queued, direct] = runs;
    if (queued === undefined || direct === undefined) throw new Error('two runs');
    await engine.submit(queued, undefined);
    await engine.start(worker);
    await engine.submit(direct, undefined);
    for (const run of runs) {
      const attempt = await worker.started(run.id);
      assert.deepEqual(attempt.run.input, input);
      assert.deepEqual((await engine.get(run.id))?.input, masked);
      attempt.settle(success);
      await engine.wait(run.id, foreverMs);
      assert.deepEqual((await engine.get(run.id))?.input, masked);
    }
  }),

  promise('a final run is notified until that succeeds, with its output even if that is not kept', async (harness) => {
    const { engine } = harness;
    const notified: unknown[] = [];
    const done = Promise.withResolvers<void>();
    await engine.start({
      execute: () => success,
      notify(run, attempt) {
        notified.push([run.id, run.state, run.output, attempt]);
        if (attempt < 3) return 1;
        done.resolve();
        return undefined;
      },
    });
    const run = newRun(harness, { policy: { ...keepAll, keep: 'none', notify: true } });
    await engine.submit(newRun(harness), undefined);
    await engine.submit(run, undefined);
    const passing = setInterval(() => harness.clock.advance(1), 1);
    await done.promise.finally(() => clearInterval(passing));
    assert.deepEqual(
      notified,
      [1, 2, 3].map((attempt) => [run.id, 'succeeded', { answer: 42 }, attempt]),
    );
  }),

  promise('says how far the notification of a run is, until it is settled', async (harness) => {
    const { engine, clock } = harness;
    const worker = new Worker();
    const second = Promise.withResolvers<undefined>();
    await engine.start({ execute: worker.execute, notify: (_run, attempt) => (attempt === 1 ? 1 : second.promise) });
    const acceptedAt = clock.now();
    const run = newRun(harness, { policy: { ...keepAll, notify: true } });
    const silent = newRun(harness);
    for (const one of [run, silent]) await engine.submit(one, undefined);
    const attempts = await Promise.all([run, silent].map(({ id }) => worker.started(id)));
    const notification = async () => (await engine.progress(run.id))?.notification;
    assert.deepEqual(await notification(), { kind: 'awaiting_end' });
    const passing = setInterval(() => clock.advance(1), 1);
    try {
      for (const attempt of attempts) attempt.settle(success);
      const due = await until(async () => {
        const found = await notification();
        return found?.kind === 'due' && found.attempts > 0 ? found : undefined;
      });
      assert.equal(due.attempts, 1);
      assert.ok(due.dueAt > acceptedAt);
      second.resolve(undefined);
      await until(async () => (await notification())?.kind === 'settled' || undefined);
    } finally {
      clearInterval(passing);
    }
    assert.deepEqual(await engine.progress(silent.id), { hasCheckpoint: false, notification: undefined });
    assert.equal(await engine.progress(newRun(harness).id), undefined);
  }),

  promise('says whether an attempt has saved where it is', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const attempt = await worker.started(run.id);
    assert.equal((await engine.progress(run.id))?.hasCheckpoint, false);
    await attempt.save({ task: 'a7' });
    assert.equal((await engine.progress(run.id))?.hasCheckpoint, true);
    attempt.settle(success);
    await engine.wait(run.id, foreverMs);
    assert.equal((await engine.progress(run.id))?.hasCheckpoint, false);
  }),

  promise('a brief list has all of a run but what may be long', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const runs = [newRun(harness, { sessionId: 'a' }), newRun(harness), newRun(harness, { sessionId: 'a' })];
    for (const run of runs) await engine.submit(run, undefined);
    const [first, second] = await Promise.all(runs.slice(0, 2).map(({ id }) => worker.started(id)));
    first?.settle(success);
    second?.settle({ kind: 'failed', message: 'refused', retryable: false, detail: 'what the agent said' });
    for (const { id } of runs.slice(0, 2)) await ended(harness, id);
    await worker.started(runs[2]?.id ?? '');
    const long = { input: undefined, origin: undefined, output: undefined, failureDetail: undefined };
    const whole = await engine.list({ limit: 10 });
    assert.deepEqual(
      await engine.list({ limit: 10, isBrief: true }),
      whole.map((record) => ({ ...record, ...long })),
    );
    assert.equal(whole.length, runs.length);
  }),

  promise('runs are listed page by page without gaps or repetitions', async (harness) => {
    const { engine, clock } = harness;
    const runs = [];
    for (const step of [0, 0, 1, 0, 5]) {
      clock.advance(step);
      const run = newRun(harness);
      runs.push(run);
      await engine.submit(run, undefined);
    }
    const all = await engine.list({ limit: 10 });
    const paged = [];
    for (let page = await engine.list({ limit: 2 }); page.length > 0; ) {
      paged.push(...page);
      const after = page.at(-1);
      page = after === undefined ? [] : await engine.list({ limit: 2, after });
    }
    assert.deepEqual(paged, all);
    assert.equal(all.length, runs.length);
  }),
];
