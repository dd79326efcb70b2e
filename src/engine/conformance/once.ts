import assert from 'node:assert/strict';
import type { NewRun } from '../types/index.ts';
import { type ConformanceCase, type ConformanceHarness, ended, newClaim, newRun, promise } from './harness.ts';
import { failure, success, Worker } from './worker.ts';

const hourMs = 3_600_000;
const once = { scope: '/replays', fingerprint: 'of one run' };

function submit({ engine }: ConformanceHarness, run: NewRun, claim?: ReturnType<typeof newClaim>) {
  return engine.submit(run, claim);
}

export const onceCases: readonly ConformanceCase[] = [
  promise('of 500 concurrent runs with one `once`, one is accepted, and the others repeat it', async (harness) => {
    await harness.engine.start(new Worker());
    const runs = Array.from({ length: 500 }, () => newRun(harness, { once }));
    const submissions = await Promise.all(runs.map((run) => submit(harness, run)));
    const accepted = runs.filter((_, index) => submissions[index]?.kind === 'accepted');
    assert.equal(accepted.length, 1);
    const others = submissions.filter((submission) => submission.kind === 'repeated');
    assert.equal(others.length, 499);
    for (const { runId } of others) assert.equal(runId, accepted[0]?.id);
    assert.equal((await harness.engine.list({ limit: 10 })).length, 1);
  }),

  promise('what happened once stays so after its run has failed or was cancelled, without expiry', async (harness) => {
    const { engine, clock } = harness;
    const cancelled = newRun(harness, { once });
    await submit(harness, cancelled);
    await engine.cancel(cancelled.id);
    await engine.start({ execute: () => failure });
    const other = { ...once, fingerprint: 'of another run' };
    const failed = newRun(harness, { once: other });
    await submit(harness, failed);
    assert.equal((await ended(harness, failed.id)).state, 'failed');
    clock.advance(20 * 365 * 24 * hourMs);
    for (const [taken, runId] of [[once, cancelled.id] as const, [other, failed.id] as const]) {
      assert.deepEqual(await submit(harness, newRun(harness, { once: taken })), { kind: 'repeated', runId });
      assert.equal(await engine.holder(taken), runId);
    }
  }),

  promise('a run with a claim and a `once` has both or neither, and releases its claim alone', async (harness) => {
    const { engine } = harness;
    await engine.start({ execute: () => failure });
    const first = newRun(harness, { once });
    assert.equal((await submit(harness, first, newClaim())).kind, 'accepted');
    await ended(harness, first.id);
    assert.equal(await engine.holder(newClaim()), undefined);
    const repeat = await submit(harness, newRun(harness, { once }), newClaim());
    assert.deepEqual(repeat, { kind: 'repeated', runId: first.id });
    assert.equal(await engine.holder(newClaim()), undefined, 'a repeat takes no claim');
    const kept = newClaim({ keepOnFailure: true });
    const holder = newRun(harness);
    await submit(harness, holder, kept);
    const other = { ...once, fingerprint: 'of a duplicate' };
    assert.deepEqual(await submit(harness, newRun(harness, { once: other }), kept), {
      kind: 'duplicate',
      runId: holder.id,
    });
    assert.equal(await engine.holder(other), undefined, 'a duplicate takes nothing');
    assert.equal((await submit(harness, newRun(harness, { once: other }))).kind, 'accepted');
  }),

  promise('a `once` and a claim of the same names do not differ: scopes keep them apart', async (harness) => {
    const run = newRun(harness, { once });
    await submit(harness, run);
    assert.deepEqual(await submit(harness, newRun(harness), newClaim(once)), { kind: 'duplicate', runId: run.id });
    assert.equal(
      (await submit(harness, newRun(harness), newClaim({ fingerprint: once.fingerprint }))).kind,
      'accepted',
    );
  }),

  promise('what joins a burst has happened once, with the id of the run that it joined', async (harness) => {
    const { engine } = harness;
    const debounce = { key: 'one', waitMs: hourMs, maxMs: 2 * hourMs };
    const first = newRun(harness, { debounce });
    await submit(harness, first);
    const joining = newRun(harness, { debounce, once, replayOf: 'what was recorded' });
    assert.equal((await submit(harness, joining, newClaim())).kind, 'accepted');
    assert.equal(await engine.holder(once), first.id);
    assert.equal((await engine.get(first.id))?.replayOf, 'what was recorded');
    const again = await submit(harness, newRun(harness, { debounce, once }));
    assert.deepEqual(again, { kind: 'repeated', runId: first.id });
  }),

  promise('a run that repeats another one repeats it also while its session is busy', async (harness) => {
    const { engine } = harness;
    await engine.start(new Worker());
    const busy = { sessionId: 'one', onBusy: 'drop' } as const;
    const first = newRun(harness, { ...busy, once });
    await submit(harness, first);
    assert.deepEqual(await submit(harness, newRun(harness, { ...busy, once })), { kind: 'repeated', runId: first.id });
    const other = { ...once, fingerprint: 'of a busy session' };
    assert.deepEqual(await submit(harness, newRun(harness, { ...busy, once: other })), {
      kind: 'busy',
      runId: first.id,
    });
    assert.equal(await engine.holder(other), undefined, 'what was refused may be tried again');
  }),

  promise('the holder of a claim is known for as long as the claim is held', async (harness) => {
    const { engine, clock } = harness;
    const claim = newClaim({ windowMs: hourMs });
    assert.equal(await engine.holder(claim), undefined);
    const run = newRun(harness);
    await submit(harness, run, claim);
    clock.advance(2 * hourMs);
    assert.equal(await engine.holder(claim), run.id, 'not before its run has ended');
    await engine.start({ execute: () => success });
    await ended(harness, run.id);
    assert.equal(await engine.holder(claim), undefined);
  }),
];
