import assert from 'node:assert/strict';
import type { LimitCharge, NewRun } from '../types/index.ts';
import {
  type ConformanceCase,
  type ConformanceHarness,
  ended,
  keepAll,
  loaded,
  newClaim,
  newRun,
  promise,
  trace,
} from './harness.ts';
import { success, Worker } from './worker.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** A burst that ends in no case. */
const endless = { key: 'one', waitMs: hourMs, maxMs: 2 * hourMs };
/** A burst that ends by itself, soon. */
const short = { key: 'one', waitMs: 10, maxMs: 10 };

function debounced(harness: ConformanceHarness, instruction: string, changes: Partial<NewRun> = {}): NewRun {
  const input = { environment: 'api', language: 'en', instruction };
  return newRun(harness, { input, debounce: endless, ...changes });
}

/** Submits a run that must be accepted. Returns the burst that it is in. */
async function submit({ engine }: ConformanceHarness, run: NewRun, claim?: ReturnType<typeof newClaim>) {
  const submission = await engine.submit(run, claim);
  assert.equal(submission.kind, 'accepted', JSON.stringify(submission));
  const burst = submission.kind === 'accepted' ? submission.burst : undefined;
  assert.ok(burst !== undefined);
  return burst;
}

export const debounceCases: readonly ConformanceCase[] = [
  promise('of a burst one run is executed, with the id of the first and all that the last brought', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const first = debounced(harness, 'first', { trace });
    const last = debounced(harness, 'last', {
      requestId: 'the last',
      secret: 'another',
      revision: 'd4e5f6',
      trace: { ...trace, parentSpanId: '1234567890abcdef' },
      debounce: short,
    });
    const bursts = [];
    for (const run of [first, debounced(harness, 'second'), last]) bursts.push(await submit(harness, run));
    assert.deepEqual(new Set(bursts.map(({ runId }) => runId)), new Set([first.id]));
    harness.clock.advance(hourMs);
    const next = await submit(harness, debounced(harness, 'of the next burst'));
    assert.notEqual(next.runId, first.id);
    const { run, settle } = await worker.started(first.id);
    assert.equal(run.input.instruction, 'last');
    settle(success);
    const record = await ended(harness, first.id);
    assert.deepEqual(record.trace, last.trace);
    const { requestId, secret, revision, acceptedAt } = record;
    assert.deepEqual(
      { requestId, secret, revision, acceptedAt },
      { requestId: 'the last', secret: 'another', revision: 'd4e5f6', acceptedAt: first.acceptedAt },
    );
    assert.equal((await engine.list({ limit: 10 })).length, 2);
    assert.equal(await engine.get(last.id), undefined);
  }),

  promise('a burst starts a while after its last run, and in time after its first', async (harness) => {
    const { clock } = harness;
    const debounce = { key: 'one', waitMs: 40 * minuteMs, maxMs: hourMs };
    const begunAt = clock.now();
    const at: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      at.push((await submit(harness, debounced(harness, 'again', { debounce }))).startsAt - begunAt);
      clock.advance(15 * minuteMs);
    }
    assert.deepEqual(at, [40 * minuteMs, 55 * minuteMs, hourMs]);
    assert.equal((await harness.engine.list({ state: 'queued', limit: 10 })).length, 1);
  }),

  promise('a debounced run is executed by itself when its burst has ended', async (harness) => {
    const worker = new Worker();
    await harness.engine.start(worker);
    const run = debounced(harness, 'alone', { debounce: short });
    await submit(harness, run);
    harness.clock.advance(10);
    const attempt = await worker.started(run.id);
    assert.equal(attempt.run.input.instruction, 'alone');
    attempt.settle(success);
    assert.equal((await ended(harness, run.id)).state, 'succeeded');
  }),

  promise('runs with other keys are other bursts', async (harness) => {
    const runIds = new Set<string>();
    for (const key of ['one', 'other', 'one', 'other', '__proto__', '']) {
      runIds.add((await submit(harness, debounced(harness, key, { debounce: { ...endless, key } }))).runId);
    }
    assert.equal(runIds.size, 4);
  }),

  promise('of 500 concurrent runs of a burst one is stored, with the input of the last', async (harness) => {
    const { engine } = harness;
    const runs = Array.from({ length: 500 }, (_, index) => debounced(harness, `input ${index}`));
    const bursts = await Promise.all(runs.map((run) => submit(harness, run)));
    assert.deepEqual(new Set(bursts.map(({ runId }) => runId)), new Set([runs[0]?.id]));
    const stored = await engine.list({ limit: 10 });
    assert.deepEqual(
      stored.map(({ id, input }) => [id, input?.instruction]),
      [[runs[0]?.id, 'input 499']],
    );
    await loaded(harness, { queued: 1, running: 0 });
  }),

  promise('a run that is cancelled while it waits never starts, and the next one begins a burst', async (harness) => {
    const { engine } = harness;
    await engine.start(new Worker());
    const first = debounced(harness, 'first');
    await submit(harness, first);
    assert.deepEqual(await engine.cancel(first.id), { kind: 'cancelled' });
    const second = debounced(harness, 'second');
    assert.equal((await submit(harness, second)).runId, second.id);
    assert.equal((await engine.get(first.id))?.state, 'cancelled');
    await loaded(harness, { queued: 1, running: 0 });
  }),

  promise('the claim of the last input takes the place of the one before, which is released', async (harness) => {
    const { engine } = harness;
    const claims = ['a', 'b'].map((fingerprint) => newClaim({ fingerprint, keepOnFailure: true }));
    const [a, b] = claims;
    const run = debounced(harness, 'a');
    await submit(harness, run, a);
    assert.deepEqual(await engine.submit(debounced(harness, 'a'), a), { kind: 'duplicate', runId: run.id });
    await submit(harness, debounced(harness, 'b'), b);
    assert.deepEqual(await engine.submit(newRun(harness), b), { kind: 'duplicate', runId: run.id });
    await submit(harness, debounced(harness, 'a again'), a);
    assert.equal((await engine.submit(newRun(harness), b)).kind, 'accepted', 'its input never runs');
    await submit(harness, debounced(harness, 'without a claim'));
    assert.equal((await engine.submit(newRun(harness), a)).kind, 'accepted');
  }),

  promise('a duplicate changes nothing of the run that waits', async (harness) => {
    const { engine, clock } = harness;
    await engine.submit(newRun(harness), newClaim());
    const run = debounced(harness, 'first');
    const { startsAt } = await submit(harness, run);
    clock.advance(minuteMs);
    assert.equal((await engine.submit(debounced(harness, 'second'), newClaim())).kind, 'duplicate');
    assert.equal((await engine.get(run.id))?.input?.instruction, 'first');
    clock.advance(hourMs - minuteMs);
    const next = await submit(harness, debounced(harness, 'third'));
    assert.ok(next.runId === run.id || next.startsAt > startsAt);
  }),

  promise('limits and uses are charged once for a burst, and full ones refuse only its first run', async (harness) => {
    const { engine, clock } = harness;
    const limit: LimitCharge = {
      limit: 'gateway runs/1h',
      value: '',
      unit: 'runs',
      rule: { kind: 'window', amount: 1, periodMs: 3 * hourMs },
      amount: 1,
      unreported: 0,
      isShadow: false,
      maxValues: 10,
    };
    const uses = { id: 'one', limit: 1, until: clock.now() + 3 * hourMs };
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await engine.submit(debounced(harness, 'again', { uses }), undefined, [limit])).kind, 'accepted');
    }
    const other = { ...endless, key: 'other' };
    const limited = await engine.submit(debounced(harness, 'other', { debounce: other }), undefined, [limit]);
    assert.equal(limited.kind, 'limited');
    const spent = await engine.submit(debounced(harness, 'other', { debounce: other, uses }), undefined);
    assert.equal(spent.kind, 'used_up');
    assert.equal((await engine.limitCounters('gateway runs/1h', 10))[0]?.used, 1);
    await submit(harness, debounced(harness, 'other', { debounce: other }));
  }),

  promise('those that join a run that is refused begin a burst of their own', async (harness) => {
    const { engine } = harness;
    const holder = newRun(harness);
    await engine.submit(holder, newClaim());
    const [refused, ...others] = Array.from({ length: 4 }, (_, index) => debounced(harness, `input ${index}`));
    assert.ok(refused !== undefined);
    const [duplicate, ...accepted] = await Promise.all([
      engine.submit(refused, newClaim()),
      ...others.map((run) => submit(harness, run)),
    ]);
    assert.deepEqual(duplicate, { kind: 'duplicate', runId: holder.id });
    assert.deepEqual(new Set(accepted.map(({ runId }) => runId)), new Set([others[0]?.id]));
    const stored = await engine.get(others[0]?.id ?? '');
    assert.equal(stored?.input?.instruction, 'input 3');
    assert.equal(await engine.get(refused.id), undefined);
  }),

  promise('the run gets the last input whole, and the store has it masked', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const policy = { ...keepAll, mask: ['/instruction'] };
    const run = debounced(harness, 'first secret', { policy });
    await submit(harness, run);
    await submit(harness, debounced(harness, 'second secret', { policy }));
    assert.equal((await engine.get(run.id))?.input?.instruction, '***');
    await submit(harness, debounced(harness, 'third secret', { policy, debounce: short }));
    harness.clock.advance(2 * hourMs);
    await submit(harness, debounced(harness, 'of the next burst', { policy }));
    const attempt = await worker.started(run.id);
    assert.equal(attempt.run.input.instruction, 'third secret');
    attempt.settle(success);
    assert.equal((await ended(harness, run.id)).input?.instruction, '***');
  }),

  promise('while a run waits for a place after its burst, the last input still replaces its own', async (harness) => {
    const { engine, clock } = harness;
    const worker = new Worker();
    await engine.start({ execute: worker.execute, concurrencyOf: () => ({ limit: 1, isPerValue: false }) });
    const before = newRun(harness);
    await engine.submit(before, undefined);
    const busy = await worker.started(before.id);
    const run = debounced(harness, 'first');
    await submit(harness, run);
    clock.advance(3 * hourMs);
    await harness.noticed?.();
    assert.equal((await submit(harness, debounced(harness, 'second'))).runId, run.id);
    busy.settle(success);
    const attempt = await worker.started(run.id);
    assert.equal(attempt.run.input.instruction, 'second');
    const next = debounced(harness, 'third');
    assert.equal((await submit(harness, next)).runId, next.id);
    attempt.settle(success);
  }),
];
