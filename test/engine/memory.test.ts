import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { newClaim, newRequest, newRun, unbounded, wide } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import { type ConformanceHarness, conformanceCases } from '../../src/engine/conformance.ts';
import { ExpiryQueue } from '../../src/engine/execution/expiry-queue.ts';
import { queuedRecord } from '../../src/engine/execution/records.ts';
import { RunMemory } from '../../src/engine/execution/run-memory.ts';
import { RunSlot } from '../../src/engine/execution/run-slot.ts';
import { unmeteredMemory } from '../../src/engine/execution/unmetered-memory.ts';
import { engines } from '../../src/engine/index.ts';
import { createMemoryEngine, type MemoryEngineOptions } from '../../src/engine/memory/index.ts';
import type { NewRun, RecordedRequest } from '../../src/engine/types/index.ts';
import { recordingLog } from '../support/recording-log.ts';
import { checkAgainstModel } from './model.ts';

const defaults: MemoryEngineOptions = {
  concurrency: 10_000,
  maxQueued: 10_000,
  maxSessions: 100,
  maxFinished: 10_000,
  keepFinished: 3_600_000,
  maxClaims: 1e6,
};

function open(options: Partial<MemoryEngineOptions> = {}): ConformanceHarness {
  let now = 1_700_000_000_000;
  const clock = {
    now: () => now,
    advance(ms: number) {
      now += ms;
    },
  };
  return { ...createMemoryEngine({ ...defaults, ...options }, { log: recordingLog() }, clock), clock };
}

async function collectGarbage(): Promise<void> {
  // What a WeakRef was made for, or gave, in this turn is kept until its end.
  await setImmediate();
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

t.test('memory engine', (t) => {
  for (const { name, run } of conformanceCases) t.test(name, () => run(() => open()));
  t.end();
});

t.test('the memory engine agrees with a simple model of runs and claims for any order of calls', () => {
  const limits = { maxQueued: 3, maxFinished: 3, keepFinished: 100, maxClaims: 3 };
  return checkAgainstModel(() => open(limits), limits, 300);
});

t.test('the memory engine is found by its name', async (t) => {
  const definition = engines.get('memory');
  t.equal(definition?.name, 'memory');
  const opened = await definition?.create(defaults, { log: recordingLog(), resolvePath: (path) => path });
  t.teardown(() => opened?.engine.close(0));
  t.strictSame(await opened?.engine.list({ limit: 1 }), []);
});

t.test('the memory engine refuses a run while maxQueued runs wait, and stores neither it nor its claim', async (t) => {
  const harness = open({ concurrency: 1, maxQueued: 2 });
  const { engine } = harness;
  t.teardown(() => engine.close(0));
  const [first, second, third] = [newRun(harness), newRun(harness), newRun(harness)];
  await engine.submit(first, newClaim());
  await engine.submit(second, undefined);
  t.match(await engine.submit(third, newClaim({ fingerprint: 'third' })), {
    kind: 'unavailable',
    reason: 'too many queued runs',
  });
  t.equal(await engine.get(third.id), undefined, 'the refused run is not stored');
  await engine.cancel(second.id);
  t.match(
    await engine.submit(third, newClaim({ fingerprint: 'third' })),
    { kind: 'accepted' },
    'the refused claim is not stored',
  );
});

t.test('the memory engine refuses a new claim while it holds maxClaims, until one expires', async (t) => {
  const harness = open({ maxClaims: 2 });
  const { engine, clock } = harness;
  t.teardown(() => engine.close(0));
  await engine.start({ execute: () => success });
  const submit = (fingerprint: string) => engine.submit(newRun(harness), newClaim({ fingerprint, windowMs: 1000 }));
  t.match(await submit('a'), { kind: 'accepted' });
  t.match(await submit('b'), { kind: 'accepted' });
  t.match(await submit('c'), { kind: 'unavailable', reason: 'too many dedup claims' });
  t.match(await engine.submit(newRun(harness), undefined), { kind: 'accepted' }, 'a run without a claim needs no room');
  clock.advance(1000);
  t.match(await submit('c'), { kind: 'accepted' });
});

t.test('the memory engine expires each claim on time, even when more expire than one pass removes', async (t) => {
  const harness = open();
  const { engine, clock } = harness;
  t.teardown(() => engine.close(0));
  const claims = Array.from({ length: 200 }, (_, index) =>
    newClaim({ fingerprint: `${index}`, windowMs: 1000 }),
  ).reverse();
  await engine.start({ execute: () => success });
  for (const claim of claims.toReversed()) {
    await engine.submit(newRun(harness), claim);
    clock.advance(1);
  }
  clock.advance(999);
  const kinds = await Promise.all([...claims, ...claims].map((claim) => engine.submit(newRun(harness), claim)));
  t.strictSame([...new Set(kinds.slice(0, 200).map((it) => it.kind))], ['accepted']);
  t.strictSame([...new Set(kinds.slice(200).map((it) => it.kind))], ['duplicate']);
});

t.test('the memory engine drops the run that finished first beyond maxFinished, and keeps its claim', async (t) => {
  const harness = open({ maxFinished: 2 });
  const { engine, clock } = harness;
  t.teardown(() => engine.close(0));
  const worker = new Worker();
  await engine.start(worker);
  const runs = ['a', 'b', 'c'].map((fingerprint) => ({ run: newRun(harness), claim: newClaim({ fingerprint }) }));
  for (const { run, claim } of runs) await engine.submit(run, claim);
  const [a = '', b = '', c = ''] = runs.map(({ run }) => run.id);
  for (const id of [b, a, c]) {
    (await worker.started(id)).settle(success);
    await engine.wait(id, 1000);
    clock.advance(-1000);
  }
  t.equal(await engine.get(b), undefined);
  t.match(await engine.get(a), { state: 'succeeded' });
  t.match(await engine.get(c), { state: 'succeeded' }, 'the order is that of finishing, even if the clock is set back');
  t.strictSame(await engine.submit(newRun(harness), newClaim({ fingerprint: 'b' })), { kind: 'duplicate', runId: b });
});

t.test('the memory engine drops finished runs after keepFinished, but neither active runs nor claims', async (t) => {
  const harness = open({ keepFinished: 1000 });
  const { engine, clock } = harness;
  t.teardown(() => engine.close(0));
  const worker = new Worker();
  await engine.start({
    execute: (run, attempt) => (run.trigger === 'slow' ? worker.execute(run, attempt) : success),
  });
  const slow = newRun(harness, { trigger: 'slow' });
  const finished = newRun(harness);
  await engine.submit(slow, undefined);
  await engine.submit(finished, newClaim());
  clock.advance(999);
  t.match(await engine.get(finished.id), { state: 'succeeded' });
  clock.advance(1);
  t.equal(await engine.get(finished.id), undefined);
  t.equal(await engine.wait(finished.id, 1000), undefined);
  t.strictSame(await engine.cancel(finished.id), { kind: 'not_found' });
  t.match(await engine.list({ limit: 10 }), [{ id: slow.id, state: 'running' }]);
  t.strictSame(await engine.submit(newRun(harness), newClaim()), { kind: 'duplicate', runId: finished.id });
});

t.test('the memory engine frees the memory of expired runs and recordings without further submissions', async (t) => {
  const { timers } = mock;
  timers.enable({ apis: ['setInterval'] });
  t.teardown(() => timers.reset());
  const harness = open({ keepFinished: 1000 });
  const { engine, clock } = harness;
  t.teardown(() => engine.close(0));
  await engine.start({ execute: () => success });
  const [input, request] = [await submitOne(), await recordOne()];
  await collectGarbage();
  t.not(input.deref(), undefined, 'the input is kept until it expires');
  t.not(request.deref(), undefined);
  clock.advance(1000);
  timers.tick(60_000);
  await collectGarbage();
  t.equal(input.deref(), undefined);
  t.equal(request.deref(), undefined);

  async function submitOne(): Promise<WeakRef<NewRun['input']>> {
    const run = newRun(harness);
    await engine.submit(run, newClaim({ windowMs: 1000 }));
    return new WeakRef(run.input);
  }

  async function recordOne(): Promise<WeakRef<RecordedRequest>> {
    const request = newRequest(harness);
    await harness.recordings?.record([unbounded(request)], { ...wide, ageMs: 1000 });
    return new WeakRef(request);
  }
});

t.test('the memory engine fails unfinished runs as retryable when it stops', async (t) => {
  const harness = open();
  const { engine } = harness;
  const worker = new Worker();
  await engine.start(worker);
  const run = newRun(harness);
  await engine.submit(run, newClaim());
  await engine.close(1);
  t.match(await engine.get(run.id), { state: 'failed', failure: { message: 'the gateway stopped', retryable: true } });
});

t.test('the memory engine refuses a second start and a run id that already exists', async (t) => {
  const harness = open();
  const { engine } = harness;
  t.teardown(() => engine.close(0));
  await engine.start({ execute: () => success });
  await t.rejects(async () => engine.start({ execute: () => success }), {
    message: 'the engine has already been started',
  });
  const run = newRun(harness);
  await engine.submit(run, undefined);
  await t.rejects(async () => engine.submit(run, undefined), { message: 'a run with this id already exists' });
});

t.test('the memory engine fails a run whose executor returns an invalid outcome', async (t) => {
  const harness = open();
  const { engine } = harness;
  t.teardown(() => engine.close(0));
  const answers = ['undefined', 'null', '{}', '{ kind: "started" }', '"text"'];
  await engine.start({ execute: () => new Function(`return ${answers.shift()}`)() });
  for (const outcome of [...answers]) {
    const run = newRun(harness);
    await engine.submit(run, undefined);
    const failure = { message: 'the run plugin failed unexpectedly' };
    t.match(await engine.get(run.id), { state: 'failed', failure }, `outcome ${outcome}`);
  }
});

t.test('a run slot refuses a transition that its phase does not allow', async (t) => {
  const run = newRun({ clock: Object(Date) });
  const slot = new RunSlot('queued', {
    record: queuedRecord(run),
    policy: run.policy,
    memory: new RunMemory(unmeteredMemory),
  });
  t.throws(() => slot.enter('pausing'), { message: 'a run cannot go from queued to pausing' });
  t.equal(slot.phase, 'queued');
  slot.enter('starting');
  slot.run(new AbortController(), { attempt: 1, startedAt: run.acceptedAt }, { input: run.input, origin: undefined });
  slot.enter('ending');
  t.throws(
    () =>
      slot.run(
        new AbortController(),
        { attempt: 2, startedAt: run.acceptedAt },
        { input: run.input, origin: undefined },
      ),
    {
      message: /from ending to running/,
    },
  );
  slot.leave();
  t.throws(() => slot.leave(), { message: 'a run cannot go from ended to ended' });
});

t.test('the expiry queue yields expired items only, the earliest first', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(50), (times, now) => {
      const queue = new ExpiryQueue<number>();
      for (const at of times) queue.add(at, at);
      const taken: number[] = [];
      for (let at = queue.takeExpired(now); at !== undefined; at = queue.takeExpired(now)) taken.push(at);
      const expected = times.filter((at) => at <= now).sort((one, other) => one - other);
      assert.deepEqual(taken, expected);
      assert.equal(queue.size, times.length - expected.length);
    }),
  );
});
