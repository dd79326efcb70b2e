import assert from 'node:assert/strict';
import { type ConformanceCase, ended, newClaim, newRun, promise } from './harness.ts';
import { failure, success, Worker } from './worker.ts';

const hourMs = 3_600_000;

export const claimCases: readonly ConformanceCase[] = [
  promise(
    'of 1,000 concurrent runs with one fingerprint one is accepted, and the others are its duplicates',
    async (harness) => {
      const { engine } = harness;
      const worker = new Worker();
      await engine.start(worker);
      const runs = Array.from({ length: 1000 }, () => newRun(harness));
      const submissions = await Promise.all(runs.map((run) => engine.submit(run, newClaim())));
      const accepted = runs.filter((_, index) => submissions[index]?.kind === 'accepted');
      assert.equal(accepted.length, 1);
      const holder = accepted[0]?.id;
      const duplicates = submissions.filter((submission) => submission.kind === 'duplicate');
      assert.equal(duplicates.length, 999);
      for (const duplicate of duplicates) assert.equal(duplicate.runId, holder);
    },
  ),

  promise('nothing of a duplicate run is stored', async (harness) => {
    const { engine } = harness;
    await engine.submit(newRun(harness), newClaim());
    const second = newRun(harness);
    assert.equal((await engine.submit(second, newClaim())).kind, 'duplicate');
    assert.equal(await engine.get(second.id), undefined);
    assert.equal((await engine.list({ limit: 10 })).length, 1);
  }),

  promise('runs without a claim are never duplicates', async (harness) => {
    for (let count = 0; count < 2; count += 1) {
      assert.equal((await harness.engine.submit(newRun(harness), undefined)).kind, 'accepted');
    }
  }),

  promise('claims of different scopes or fingerprints do not conflict', async (harness) => {
    const names = ['', 'a', 'b', 'ab', 'a:b', 'a/b', 'A', ' a', 'a\0b', 'é', 'e\u0301', '__proto__', 'constructor'];
    for (const scope of names) {
      for (const fingerprint of names) {
        const submission = await harness.engine.submit(newRun(harness), newClaim({ scope, fingerprint }));
        assert.equal(submission.kind, 'accepted', JSON.stringify([scope, fingerprint]));
      }
    }
  }),

  promise('a claim is held while its run is queued, running and succeeded', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const run = newRun(harness);
    const again = async () => engine.submit(newRun(harness), newClaim());
    await engine.submit(run, newClaim());
    assert.deepEqual(await again(), { kind: 'duplicate', runId: run.id });
    await engine.start(worker);
    const attempt = await worker.started(run.id);
    assert.deepEqual(await again(), { kind: 'duplicate', runId: run.id });
    attempt.settle(success);
    assert.equal((await ended(harness, run.id)).state, 'succeeded');
    assert.deepEqual(await again(), { kind: 'duplicate', runId: run.id });
  }),

  promise('a failed run releases its claim', async (harness) => {
    const { engine } = harness;
    await engine.start({ execute: () => failure });
    for (let count = 0; count < 2; count += 1) {
      const run = newRun(harness);
      assert.equal((await engine.submit(run, newClaim())).kind, 'accepted');
      assert.equal((await ended(harness, run.id)).state, 'failed');
    }
  }),

  promise('a run that is cancelled while queued or running releases its claim', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    const queued = newRun(harness);
    await engine.submit(queued, newClaim());
    await engine.cancel(queued.id);
    await engine.start(worker);
    const running = newRun(harness);
    assert.equal((await engine.submit(running, newClaim())).kind, 'accepted');
    await worker.started(running.id);
    await engine.cancel(running.id);
    assert.equal((await engine.submit(newRun(harness), newClaim())).kind, 'accepted');
  }),

  promise('a failed or cancelled run with keepOnFailure keeps its claim', async (harness) => {
    const { engine } = harness;
    const kept = (fingerprint: string) => newClaim({ fingerprint, keepOnFailure: true });
    const cancelled = newRun(harness);
    await engine.submit(cancelled, kept('cancelled'));
    await engine.cancel(cancelled.id);
    await engine.start({ execute: () => failure });
    const failed = newRun(harness);
    await engine.submit(failed, kept('failed'));
    assert.equal((await ended(harness, failed.id)).state, 'failed');
    for (const [fingerprint, runId] of [['cancelled', cancelled.id] as const, ['failed', failed.id] as const]) {
      assert.deepEqual(await engine.submit(newRun(harness), kept(fingerprint)), { kind: 'duplicate', runId });
    }
  }),

  promise('a claim expires when its window has passed, and not before', async (harness) => {
    const { engine, clock } = harness;
    await engine.start({ execute: () => success });
    const claim = newClaim({ windowMs: hourMs });
    const run = newRun(harness);
    await engine.submit(run, claim);
    assert.equal((await ended(harness, run.id)).state, 'succeeded');
    clock.advance(hourMs - 1);
    assert.deepEqual(await engine.submit(newRun(harness), claim), { kind: 'duplicate', runId: run.id });
    clock.advance(1);
    assert.equal((await engine.submit(newRun(harness), claim)).kind, 'accepted');
  }),

  promise(
    'the window of a claim starts at acceptance, not at the end of the run, also with keepOnFailure',
    async (harness) => {
      const { engine, clock } = harness;
      const worker = new Worker();
      await engine.start(worker);
      const claim = newClaim({ windowMs: hourMs, keepOnFailure: true });
      const run = newRun(harness);
      await engine.submit(run, claim);
      const attempt = await worker.started(run.id);
      clock.advance(hourMs - 1);
      attempt.settle(failure);
      assert.equal((await ended(harness, run.id)).state, 'failed');
      assert.deepEqual(await engine.submit(newRun(harness), claim), { kind: 'duplicate', runId: run.id });
      clock.advance(1);
      assert.equal((await engine.submit(newRun(harness), claim)).kind, 'accepted');
    },
  ),

  promise('a claim does not expire while its run is queued or running', async (harness) => {
    const { engine, clock } = harness;
    const worker = new Worker();
    const claim = newClaim({ windowMs: hourMs });
    const run = newRun(harness);
    const again = async () => engine.submit(newRun(harness), claim);
    await engine.submit(run, claim);
    clock.advance(2 * hourMs);
    assert.deepEqual(await again(), { kind: 'duplicate', runId: run.id });
    await engine.start(worker);
    const attempt = await worker.started(run.id);
    assert.deepEqual(await again(), { kind: 'duplicate', runId: run.id });
    attempt.settle(success);
    assert.equal((await ended(harness, run.id)).state, 'succeeded');
    assert.equal((await again()).kind, 'accepted');
  }),

  promise('a claim without a window never expires', async (harness) => {
    const { engine, clock } = harness;
    await engine.start({ execute: () => success });
    const run = newRun(harness);
    await engine.submit(run, newClaim());
    assert.equal((await ended(harness, run.id)).state, 'succeeded');
    clock.advance(20 * 365 * 24 * hourMs);
    assert.deepEqual(await engine.submit(newRun(harness), newClaim()), { kind: 'duplicate', runId: run.id });
  }),

  promise('a claim does not expire early when the clock is set back', async (harness) => {
    const { engine, clock } = harness;
    await engine.start({ execute: () => success });
    const claim = newClaim({ windowMs: hourMs });
    const run = newRun(harness);
    await engine.submit(run, claim);
    assert.equal((await ended(harness, run.id)).state, 'succeeded');
    clock.advance(-24 * hourMs);
    assert.deepEqual(await engine.submit(newRun(harness), claim), { kind: 'duplicate', runId: run.id });
    clock.advance(hourMs);
    assert.deepEqual(await engine.submit(newRun(harness), claim), { kind: 'duplicate', runId: run.id });
  }),

  promise('a run that takes over an expired claim holds it for its own window', async (harness) => {
    const { engine, clock } = harness;
    await engine.start({ execute: () => success });
    const claim = newClaim({ windowMs: hourMs });
    const first = newRun(harness);
    await engine.submit(first, claim);
    await ended(harness, first.id);
    clock.advance(hourMs);
    const second = newRun(harness);
    await engine.submit(second, claim);
    await ended(harness, second.id);
    clock.advance(hourMs - 1);
    assert.deepEqual(await engine.submit(newRun(harness), claim), { kind: 'duplicate', runId: second.id });
    clock.advance(1);
    assert.equal((await engine.submit(newRun(harness), claim)).kind, 'accepted');
  }),
];
