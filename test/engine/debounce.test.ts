import assert from 'node:assert/strict';
import { mock } from 'node:test';
import fc from 'fast-check';
import t from 'tap';
import { keepAll, newClaim, newRun } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import { createMemoryEngine } from '../../src/engine/memory/index.ts';
import type { Debounce, NewRun } from '../../src/engine/types/index.ts';
import { recordingLog } from '../support/recording-log.ts';
import { journal } from './journal.ts';

const hourMs = 3_600_000;
const hour: Debounce = { key: 'one', waitMs: hourMs, maxMs: 2 * hourMs };

function input(instruction: string): Pick<NewRun, 'input'> {
  return { input: { environment: 'api', language: 'en', instruction } };
}

t.test('the last acknowledged input and its time survive the death of the process', async (t) => {
  const before = await journal(t);
  const { engine, clock } = await before.open();
  await engine.start(new Worker());
  const run = newRun({ clock }, { ...input('first'), debounce: hour });
  await engine.submit(run, newClaim({ fingerprint: 'first' }));
  clock.advance(60_000);
  await engine.submit(newRun({ clock }, { ...input('last'), debounce: hour }), newClaim({ fingerprint: 'last' }));

  const after = await (await before.afterDeath()).open();
  const worker = new Worker();
  await after.engine.start(worker);
  const { acceptedAt, state, attempt, ...record } = (await after.engine.get(run.id)) ?? assert.fail();
  t.match({ acceptedAt, state, attempt }, { acceptedAt: run.acceptedAt, state: 'queued', attempt: 0 });
  t.equal(record.input?.instruction, 'last');
  t.match(await after.engine.submit(newRun(after), newClaim({ fingerprint: 'last' })), { kind: 'duplicate' });
  t.match(await after.engine.submit(newRun(after), newClaim({ fingerprint: 'first' })), { kind: 'accepted' });
  // Its own clock is the minute behind that the other one was ahead.
  after.clock.advance(60_000 + hourMs - 1);
  const joined = await after.engine.submit(newRun(after, { ...input('after'), debounce: hour }), undefined);
  t.match(joined, { kind: 'accepted', burst: { runId: run.id, startsAt: run.acceptedAt + 2 * hourMs } });
  after.clock.advance(hourMs);
  const next = newRun(after, { ...input('of the next burst'), debounce: hour });
  t.match(await after.engine.submit(next, undefined), { burst: { runId: next.id } });
  t.equal((await worker.started(run.id)).run.input.instruction, 'after');
});

t.test('a burst that ended while no process lived starts at once', async (t) => {
  const before = await journal(t);
  const { engine, clock } = await before.open();
  const run = newRun({ clock }, { ...input('only'), debounce: { key: 'one', waitMs: 10, maxMs: 10 } });
  await engine.submit(run, undefined);
  const after = await (await before.afterDeath()).open();
  after.clock.advance(hourMs);
  const worker = new Worker();
  await after.engine.start(worker);
  (await worker.started(run.id)).settle(success);
  t.match(await after.engine.wait(run.id, 10_000), { state: 'succeeded', attempt: 1 });
});

t.test('a run that has been started once begins no burst after a death', async (t) => {
  const before = await journal(t);
  const { engine, clock } = await before.open();
  const worker = new Worker();
  await engine.start(worker);
  const run = newRun({ clock }, { ...input('started'), debounce: { key: 'one', waitMs: 10, maxMs: 10 } });
  await engine.submit(run, undefined);
  await worker.started(run.id);
  const after = await (await before.afterDeath()).open();
  await after.engine.start(new Worker());
  const next = newRun(after, { ...input('next'), debounce: hour });
  t.match(await after.engine.submit(next, undefined), { burst: { runId: next.id } });
});

t.test(
  'the whole input of a masked run is gone with its process, so the run fails and its claim is released',
  async (t) => {
    const before = await journal(t);
    const { engine, clock } = await before.open();
    const policy = { ...keepAll, mask: ['/instruction'] };
    const run = newRun({ clock }, { ...input('secret'), debounce: hour, policy });
    for (const one of [run, newRun({ clock }, { ...input('other secret'), debounce: hour, policy })]) {
      await engine.submit(one, newClaim({ fingerprint: one.id }));
    }
    const after = await (await before.afterDeath()).open();
    await after.engine.start(new Worker());
    t.match(await after.engine.wait(run.id, 10_000), { state: 'failed' });
  },
);

t.test('a death right after a run has replaced another one loses neither', async (t) => {
  const before = await journal(t);
  const { engine, clock } = await before.open();
  await engine.start(new Worker());
  const session = { sessionId: 'one', onBusy: 'replace' } as const;
  const runs = [newRun({ clock }, session), newRun({ clock }, session)];
  for (const run of runs) t.match(await engine.submit(run, undefined), { kind: 'accepted' });
  const after = await (await before.afterDeath()).open();
  const worker = new Worker();
  await after.engine.start(worker);
  const [first, second] = runs.map(({ id }) => id);
  const replaced = await after.engine.get(first ?? '');
  // Whether its cancellation was stored in time is open. It can be cancelled once more.
  if (replaced?.state !== 'cancelled') t.match(await after.engine.cancel(first ?? ''), { kind: 'cancelled' });
  (await worker.started(second ?? '')).settle(success);
  t.match(await after.engine.wait(second ?? '', 10_000), { state: 'succeeded' });
});

t.test('an input that cannot be stored leaves the one that waits as it is', async (t) => {
  const { open } = await journal(t);
  const { engine, clock } = await open({ maxSize: 400 * 1024 });
  const run = newRun({ clock }, { ...input('small'), debounce: hour });
  await engine.submit(run, undefined);
  const large = newRun({ clock }, { ...input('x'.repeat(1024 * 1024)), debounce: hour });
  t.match(await engine.submit(large, undefined), { kind: 'unavailable' });
  t.equal((await engine.get(run.id))?.input?.instruction, 'small');
  const next = newRun({ clock }, { ...input('next'), debounce: hour });
  t.match(await engine.submit(next, undefined), { kind: 'accepted', burst: { runId: run.id } });
  t.equal((await engine.get(run.id))?.input?.instruction, 'next');
});

/** A request of the property below, and how long after the one before it arrives. */
interface Arrival {
  readonly afterMs: number;
  readonly key: string;
}

/** What should run: at which time with which input, by a list that is searched from end to end. */
function modelled(
  arrivals: readonly Arrival[],
  { waitMs, maxMs }: Pick<Debounce, 'waitMs' | 'maxMs'>,
): readonly string[] {
  const bursts: { key: string; startsAt: number; endsAt: number; last: number }[] = [];
  let now = 0;
  for (const [index, { afterMs, key }] of arrivals.entries()) {
    now += afterMs;
    const open = bursts.find((burst) => burst.key === key && now < burst.startsAt);
    if (open === undefined) bursts.push({ key, startsAt: now + waitMs, endsAt: now + maxMs, last: index });
    else Object.assign(open, { startsAt: Math.min(now + waitMs, open.endsAt), last: index });
  }
  return bursts.map(({ startsAt, last }) => `${startsAt}: input ${last}`).sort();
}

t.test('for any requests at any times, what runs and when is what a simple model says', async () => {
  const arrival = fc.record({ afterMs: fc.integer({ min: 0, max: 50 }), key: fc.constantFrom('a', 'b') });
  const times = fc.record({ waitMs: fc.integer({ min: 1, max: 60 }), more: fc.integer({ min: 0, max: 120 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(arrival, { maxLength: 40 }), times, async (arrivals, { waitMs, more }) => {
      const maxMs = waitMs + more;
      mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
      try {
        const clock = { now: () => Date.now(), advance: (ms: number) => mock.timers.tick(ms) };
        const options = { concurrency: 100, maxQueued: 100, maxSessions: 10, maxFinished: 100, keepFinished: hourMs };
        const { engine } = createMemoryEngine({ ...options, maxClaims: 100 }, { log: recordingLog() }, clock);
        const seen: string[] = [];
        await engine.start({
          execute(run) {
            seen.push(`${Date.now()}: ${run.input.instruction}`);
            return success;
          },
        });
        // A start takes a few turns of the event loop, during which the time stands still.
        const passes = async (ms: number) => {
          for (let count = 0; count < ms; count += 1) {
            mock.timers.tick(1);
            for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
          }
        };
        const answered = new Map<string, number>();
        for (const [index, { afterMs, key }] of arrivals.entries()) {
          await passes(afterMs);
          const run = newRun({ clock }, { ...input(`input ${index}`), debounce: { key, waitMs, maxMs } });
          const submission = await engine.submit(run, undefined);
          assert.ok(submission.kind === 'accepted' && submission.burst !== undefined);
          answered.set(submission.burst.runId, index);
        }
        await passes(maxMs + 1);
        assert.deepEqual(seen.sort(), modelled(arrivals, { waitMs, maxMs }));
        const stored = await engine.list({ limit: 100 });
        assert.deepEqual(
          new Map(stored.map(({ id, input: ran }) => [id, ran?.instruction])),
          new Map([...answered].map(([id, index]) => [id, `input ${index}`])),
        );
        await engine.close(0);
      } finally {
        mock.timers.reset();
      }
    }),
    { numRuns: 100 },
  );
});
