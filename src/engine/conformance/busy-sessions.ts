import assert from 'node:assert/strict';
import type { Claim, NewRun } from '../types/index.ts';
import { type ConformanceCase, type ConformanceHarness, ended, newClaim, newRun, promise, until } from './harness.ts';
import { success, Worker } from './worker.ts';

type Changes = Partial<NewRun>;
const drop: Changes = { sessionId: 'conversation 1', onBusy: 'drop' };
const replace: Changes = { sessionId: 'conversation 1', onBusy: 'replace' };

async function submit(harness: ConformanceHarness, changes: Changes, claim?: Claim) {
  const run = newRun(harness, changes);
  const submission = await harness.engine.submit(run, claim);
  const { kind } = submission;
  return { id: run.id, kind, runId: 'runId' in submission ? submission.runId : undefined };
}

async function stateOf({ engine }: ConformanceHarness, runId: string): Promise<string | undefined> {
  return (await engine.get(runId))?.state;
}

export const busySessionCases: readonly ConformanceCase[] = [
  promise(
    'with drop, a run is refused while one of its session is queued or running, and none after',
    async (harness) => {
      const { engine } = harness;
      const worker = new Worker();
      const first = await submit(harness, drop);
      const whileQueued = await submit(harness, drop);
      assert.deepEqual([whileQueued.kind, whileQueued.runId], ['busy', first.id]);
      await engine.start(worker);
      const attempt = await worker.started(first.id);
      assert.equal((await submit(harness, drop)).kind, 'busy');
      assert.equal(await engine.get(whileQueued.id), undefined);
      for (const changes of [
        { ...drop, sessionId: 'conversation 2' },
        { ...drop, caller: 'other' },
        { onBusy: drop.onBusy },
      ]) {
        assert.equal((await submit(harness, changes)).kind, 'accepted', JSON.stringify(changes));
      }
      attempt.settle(success);
      await ended(harness, first.id);
      assert.equal((await submit(harness, drop)).kind, 'accepted');
    },
  ),

  promise('of 200 concurrent runs of a session with drop one is accepted', async (harness) => {
    await harness.engine.start(new Worker());
    const answers = await Promise.all(Array.from({ length: 200 }, () => submit(harness, drop)));
    const [accepted, ...others] = answers.filter(({ kind }) => kind === 'accepted');
    assert.equal(others.length, 0);
    const busy = answers.filter(({ kind, runId }) => kind === 'busy' && runId === accepted?.id);
    assert.equal(busy.length, 199);
  }),

  promise('a run that is refused keeps no session busy', async (harness) => {
    const holder = newRun(harness);
    await harness.engine.submit(holder, newClaim());
    const [duplicate, ...others] = await Promise.all([
      submit(harness, drop, newClaim()),
      submit(harness, drop),
      submit(harness, drop),
    ]);
    assert.deepEqual([duplicate?.kind, duplicate?.runId], ['duplicate', holder.id]);
    assert.deepEqual(
      others.map(({ kind }) => kind),
      ['accepted', 'busy'],
    );
  }),

  promise('a repeated run is a duplicate also while its session is busy', async (harness) => {
    const first = await submit(harness, drop, newClaim());
    const again = await submit(harness, drop, newClaim());
    assert.deepEqual([again.kind, again.runId], ['duplicate', first.id]);
    assert.equal((await submit(harness, drop, newClaim({ fingerprint: 'another' }))).kind, 'busy');
    await harness.engine.cancel(first.id);
    assert.equal((await submit(harness, drop, newClaim({ fingerprint: 'another' }))).kind, 'accepted');
  }),

  promise(
    'with replace, the runs of the session are cancelled, queued or running, and the new one is executed',
    async (harness) => {
      const { engine } = harness;
      const worker = new Worker();
      await engine.start(worker);
      const running = await submit(harness, { ...replace, onBusy: undefined });
      const queued = await submit(harness, { ...replace, onBusy: undefined });
      const other = await submit(harness, { ...replace, sessionId: 'conversation 2' });
      const attempt = await worker.started(running.id);
      const next = await submit(harness, replace);
      assert.equal(next.kind, 'accepted');
      await until(async () => attempt.signal.aborted || undefined);
      for (const { id } of [running, queued]) assert.equal((await ended(harness, id)).state, 'cancelled');
      (await worker.started(next.id)).settle({ ...success, memory: 'of the new run' });
      assert.equal((await ended(harness, next.id)).state, 'succeeded');
      assert.equal(await stateOf(harness, other.id), 'running');
      assert.equal(
        worker.attempts.some(({ run }) => run.id === queued.id),
        false,
      );
    },
  ),

  promise('a run that is refused replaces none', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    await engine.submit(newRun(harness), newClaim());
    const running = await submit(harness, replace);
    await worker.started(running.id);
    assert.equal((await submit(harness, replace, newClaim())).kind, 'duplicate');
    assert.equal(await stateOf(harness, running.id), 'running');
  }),

  promise('of 100 concurrent runs of a session with replace the last is executed to its end', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const runs = await Promise.all(Array.from({ length: 100 }, () => submit(harness, replace)));
    assert.ok(runs.every(({ kind }) => kind === 'accepted'));
    const last = runs.at(-1)?.id ?? '';
    (await worker.started(last)).settle(success);
    const states = await Promise.all(runs.map(async ({ id }) => (await ended(harness, id)).state));
    assert.deepEqual(new Set(states.slice(0, -1)), new Set(['cancelled']));
    assert.equal(states.at(-1), 'succeeded');
  }),

  promise(
    'a run that waits for the end of its burst keeps its session busy, but not for those that join it',
    async (harness) => {
      const debounce = { key: 'one', waitMs: 3_600_000, maxMs: 3_600_000 };
      const first = await submit(harness, { ...drop, debounce });
      assert.equal((await submit(harness, { ...drop, debounce })).kind, 'accepted');
      const other = { ...debounce, key: 'other' };
      const busy = await submit(harness, { ...drop, debounce: other });
      assert.deepEqual([busy.kind, busy.runId], ['busy', first.id]);
      const next = await submit(harness, { ...replace, debounce: other });
      assert.equal(next.kind, 'accepted');
      assert.equal((await ended(harness, first.id)).state, 'cancelled');
    },
  ),
];
