import assert from 'node:assert/strict';
import type { RunDelta, RunPosition } from '../../contract/index.ts';
import type { Engine, RunOutcome } from '../types/index.ts';
import { type ConformanceCase, type ConformanceHarness, ended, newRun, promise, until } from './harness.ts';
import { failure, success, Worker } from './worker.ts';

/** All deltas of a run from a position on until it ends. */
async function deltasOf(engine: Engine, runId: string, after?: RunPosition): Promise<readonly RunDelta[]> {
  const deltas: RunDelta[] = [];
  for await (const delta of engine.deltas(runId, after)) deltas.push(delta);
  return deltas;
}

/** A run whose attempt lasts until the case settles it. */
async function begun(harness: ConformanceHarness) {
  const worker = new Worker();
  await harness.engine.start(worker);
  const run = newRun(harness);
  await harness.engine.submit(run, undefined);
  return { ...(await worker.started(run.id)), worker };
}

function textOf(deltas: readonly RunDelta[]): string {
  return deltas.map(({ text }) => text).join('');
}

export const followingCases: readonly ConformanceCase[] = [
  promise('deltas of a run are streamed as they are emitted, until it is final', async (harness) => {
    const { engine } = harness;
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun(harness);
    const submission = await engine.submit(run, undefined);
    assert.ok(submission.kind === 'accepted');
    const attempt = await worker.started(run.id);
    const reader = submission.deltas()[Symbol.asyncIterator]();
    for (const [offset, text] of [
      [0, 'Good '],
      [5, 'morning, '],
      [14, '☕!'],
    ] as const) {
      attempt.emit({ kind: 'delta', text });
      assert.deepEqual((await reader.next()).value, { attempt: 1, offset, text });
    }
    const last = reader.next();
    attempt.settle(success);
    assert.deepEqual(await last, { done: true, value: undefined });
    assert.deepEqual((await ended(harness, run.id)).output, { answer: 42 });
  }),

  promise('a late or returning consumer receives the deltas it has missed', async (harness) => {
    const { engine } = harness;
    const { run, emit, settle } = await begun(harness);
    for (const text of ['one ', 'two ', 'three']) emit({ kind: 'delta', text });
    const readers = [undefined, { attempt: 1, offset: 4 }, { attempt: 1, offset: 13 }, { attempt: 0, offset: 99 }];
    const reading = readers.map((after) => deltasOf(engine, run.id, after));
    settle(success);
    const texts = (await Promise.all(reading)).map(textOf);
    assert.deepEqual(texts, ['one two three', 'two three', '', 'one two three']);
  }),

  promise('a final or unknown run streams no deltas', async (harness) => {
    const { engine } = harness;
    await engine.start({
      execute(_run, { emit }) {
        emit({ kind: 'delta', text: 'streamed too early to be followed' });
        return success;
      },
    });
    const run = newRun(harness);
    await engine.submit(run, undefined);
    await ended(harness, run.id);
    assert.deepEqual(await deltasOf(engine, run.id), []);
    assert.deepEqual(await deltasOf(engine, newRun(harness).id), []);
  }),

  promise('deltas start over with each attempt, and those of an attempt that is over are dropped', async (harness) => {
    const { engine } = harness;
    const { run, worker, ...first } = await begun(harness);
    const reading = deltasOf(engine, run.id);
    first.emit({ kind: 'delta', text: 'I think' });
    first.settle({ kind: 'retry', message: 'not so', delayMs: 0 });
    const second = await until(async () => worker.attempts[1]);
    first.emit({ kind: 'delta', text: ' of the past' });
    second.emit({ kind: 'delta', text: 'I know' });
    second.settle(success);
    const deltas = await reading;
    assert.deepEqual(deltas.at(-1), { attempt: 2, offset: 0, text: 'I know' });
    assert.ok(!textOf(deltas).includes('past'));
  }),

  promise('aborting a delta stream ends it, and the run continues', async (harness) => {
    const { engine } = harness;
    const { run, settle } = await begun(harness);
    const leaving = new AbortController();
    const next = engine.deltas(run.id, undefined, leaving.signal)[Symbol.asyncIterator]().next();
    leaving.abort();
    assert.equal((await next).done, true);
    settle(success);
    assert.equal((await ended(harness, run.id)).state, 'succeeded');
  }),

  promise('deltas for slow consumers are bounded, and their position shows what was dropped', async (harness) => {
    const { engine } = harness;
    const { run, emit, settle } = await begun(harness);
    // Surrogate pairs at every position, so that a cut may split one.
    const piece = `x${'😀'.repeat(511)}`;
    for (let count = 0; count < 1000; count += 1) emit({ kind: 'delta', text: piece });
    const reading = deltasOf(engine, run.id);
    settle(success);
    const [delta] = await reading;
    assert.ok(delta !== undefined && delta.offset > 0 && delta.text.length < 1_000_000);
    assert.equal(delta.offset + delta.text.length, 1000 * piece.length);
    assert.ok(delta.text.isWellFormed());
  }),

  promise('models, kinds of tokens and costs of attempts are added up, and stored', async (harness) => {
    const { engine } = harness;
    const usage = { inputTokens: 100, outputTokens: 10 };
    const usd = (nanos: number) => ({ nanos, currency: 'USD' });
    const retry = { kind: 'retry', message: 'again', delayMs: 0 } as const;
    const outcomes: RunOutcome[] = [
      { ...retry, usage: { ...usage, model: 'small', cachedTokens: 30 }, cost: usd(7) },
      { ...retry, usage: { ...usage, model: 'large', cachedTokens: 20, reasoningTokens: 4 }, cost: usd(1000) },
      { ...success, usage },
      { ...retry, usage, cost: usd(5) },
      { ...success, usage, cost: { nanos: 3, currency: 'EUR' } },
      { ...success, usage: { ...usage, cachedTokens: -1 }, cost: usd(0.5) },
    ];
    await engine.start({ execute: () => outcomes.shift() ?? success });
    const seen: unknown[] = [];
    for (let count = 0; count < 3; count += 1) {
      const run = newRun(harness);
      await engine.submit(run, undefined);
      await ended(harness, run.id);
      const stored = await engine.get(run.id);
      seen.push([stored?.usage, stored?.cost]);
    }
    const sums = { inputTokens: 300, outputTokens: 30, model: 'large', cachedTokens: 50, reasoningTokens: 4 };
    assert.deepEqual(seen, [
      [sums, usd(1007)],
      [
        { inputTokens: 200, outputTokens: 20 },
        { nanos: 3, currency: 'EUR' },
      ],
      [usage, undefined],
    ]);
  }),

  promise('the usage of all attempts of a run is added up', async (harness) => {
    const { engine } = harness;
    const outcomes = [
      { kind: 'retry', message: 'again', delayMs: 0, usage: { inputTokens: 10, outputTokens: 1 } },
      { ...success, usage: { inputTokens: 20, outputTokens: 3 } },
      { ...failure, usage: { inputTokens: 5, outputTokens: 0 } },
      success,
      { ...success, usage: { inputTokens: -1, outputTokens: Number.NaN } },
      { kind: 'retry', message: 'again', delayMs: 0, usage: { inputTokens: 1e12, outputTokens: 1 } },
      { ...success, usage: { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 1 } },
    ] as const;
    let count = 0;
    await engine.start({ execute: () => outcomes[count++] ?? success });
    const usages: unknown[] = [];
    for (let run = newRun(harness); count < outcomes.length; run = newRun(harness)) {
      await engine.submit(run, undefined);
      await ended(harness, run.id);
      usages.push((await engine.get(run.id))?.usage);
    }
    const first = { inputTokens: 30, outputTokens: 4 };
    const last = { inputTokens: 1e12, outputTokens: 1 };
    assert.deepEqual(usages, [first, { inputTokens: 5, outputTokens: 0 }, undefined, undefined, last]);
  }),

  promise('a failed attempt loses its checkpoint, and a checkpoint of more than 64 KiB is refused', async (harness) => {
    const { engine } = harness;
    const checkpoints: unknown[] = [];
    await engine.start({
      async execute(run, { checkpoint, save }) {
        checkpoints.push(checkpoint);
        await save({ task: 'a7' });
        await assert.rejects(async () => save('x'.repeat(64 * 1024)));
        return run.attempt < 2 ? { kind: 'retry', message: 'again', delayMs: 0 } : success;
      },
    });
    const run = newRun(harness);
    await engine.submit(run, undefined);
    assert.equal((await ended(harness, run.id)).state, 'succeeded');
    assert.deepEqual(checkpoints, [undefined, undefined]);
  }),
];
