import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { keepAll, newClaim, newRun } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import type { ConformanceHarness } from '../../src/engine/conformance.ts';
import { queuedRecord } from '../../src/engine/execution/records.ts';
import { RunMemory } from '../../src/engine/execution/run-memory.ts';
import { RunSlot } from '../../src/engine/execution/run-slot.ts';
import { Scheduler } from '../../src/engine/execution/scheduler.ts';
import { suspectPauseMs } from '../../src/engine/execution/suspect-pause.ts';
import { unmeteredMemory } from '../../src/engine/execution/unmetered-memory.ts';
import type { NewRun } from '../../src/engine/types/index.ts';
import { until } from '../support/until.ts';
import { journal, type Options, type TestJournal } from './journal.ts';

const hour = 3_600_000;

function mockTimers(t: Test): void {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
}

interface Life {
  readonly harness: ConformanceHarness;
  readonly worker: Worker;
  readonly files: TestJournal;
  /** What is running, as the journal has it. */
  running(): Promise<string[]>;
  /** Lets the pause of suspects pass that were interrupted so often. */
  pause(interruptions: number): void;
  /** The next process, after this one has died. */
  die(options?: Options): Promise<Life>;
}

/** A process on a journal. What it executes lasts until the test settles it. */
async function live(files: TestJournal, options?: Options): Promise<Life> {
  const harness = await files.open(options);
  const worker = new Worker();
  await harness.engine.start(worker);
  return {
    harness,
    worker,
    files,
    running: async () => {
      const runs = await harness.engine.list({ state: 'running', limit: 100 });
      return runs.map(({ id }) => id).reverse();
    },
    pause: (interruptions) => mock.timers.tick(suspectPauseMs(interruptions)),
    die: async (next) => live(await files.afterDeath(), next),
  };
}

async function submit({ harness }: Life, count: number, changes: Partial<NewRun> = {}): Promise<NewRun[]> {
  const runs = Array.from({ length: count }, () => newRun(harness, changes));
  for (const run of runs) await harness.engine.submit(run, undefined);
  return runs;
}

const idsOf = (runs: readonly { readonly id: string }[]) => runs.map(({ id }) => id);

t.test(
  'a run that was being executed at three deaths fails and releases its claim; one with two does not',
  async (t) => {
    mockTimers(t);
    let life = await live(await journal(t));
    const run = newRun(life.harness);
    await life.harness.engine.submit(run, newClaim());
    await life.worker.started(run.id);
    for (const interruptions of [1, 2]) {
      life = await life.die();
      t.match(await life.harness.engine.get(run.id), { state: 'queued', interruptions, input: run.input });
      t.strictSame(idsOf(life.worker.attempts.map((attempt) => attempt.run)), [], 'it waits first');
      const suspects = await life.harness.engine.list({ state: 'suspect', limit: 10 });
      t.match(suspects, [{ id: run.id, interruptions, failedAttempts: { length: interruptions } }]);
      t.strictSame(await life.harness.engine.submit(newRun(life.harness), newClaim()), {
        kind: 'duplicate',
        runId: run.id,
      });
      life.pause(interruptions);
      const again = await life.worker.started(run.id);
      t.match(again.run, { attempt: interruptions + 1, input: run.input });
    }
    life = await life.die();
    t.match(await life.harness.engine.wait(run.id, hour), {
      state: 'failed',
      failure: {
        message: 'the gateway died 3 times while it executed this run, so it is not executed again',
        retryable: false,
      },
      failedAttempts: [1, 2, 3].map((attempt) => ({ attempt, message: 'the gateway died' })),
    });
    t.strictSame(life.worker.attempts, []);
    t.strictSame(await life.harness.engine.list({ state: 'suspect', limit: 10 }), [], 'it has ended');
    t.equal((await life.harness.engine.submit(newRun(life.harness), newClaim())).kind, 'accepted');
  },
);

t.test('maxInterruptions is how many deaths a run survives, and keepOnFailure keeps its claim', async (t) => {
  const first = await live(await journal(t));
  const run = newRun(first.harness);
  await first.harness.engine.submit(run, newClaim({ keepOnFailure: true }));
  await first.worker.started(run.id);
  const { harness } = await first.die({ maxInterruptions: 1 });
  t.match(await harness.engine.wait(run.id, hour), { state: 'failed', failure: { message: /died once/ } });
  t.strictSame(await harness.engine.submit(newRun(harness), newClaim()), { kind: 'duplicate', runId: run.id });
});

t.test(
  'a stop does not make a suspect, however often, not even when the process is killed while it drains',
  async (t) => {
    const files = await journal(t);
    let life = await live(files);
    const [run] = await submit(life, 1);
    const id = run?.id ?? '';
    for (const attempt of [1, 2, 3, 4]) {
      t.match((await life.worker.started(id)).run, { attempt, interruptions: 0 });
      await life.harness.engine.close(0);
      life = await live(files);
    }
    const last = await life.worker.started(id);
    t.match(last.run.failedAttempts, { length: 4, 0: { attempt: 1, message: 'the gateway stopped' } });
    const draining = life.harness.engine.close(hour);
    t.match(await life.running(), [id], 'it drains, and has noted that');
    const after = await life.die();
    t.match((await after.worker.started(id)).run, { attempt: 6, interruptions: 0 });
    const killed = await after.die();
    t.match(await killed.harness.engine.get(id), { interruptions: 1 }, 'the stop counts for one process only');
    last.settle(success);
    await draining;
  },
);

t.test('opening the journal of a process that died, without a start, neither counts nor hides the death', async (t) => {
  const first = await live(await journal(t));
  const [run] = await submit(first, 1);
  const files = await first.files.afterDeath();
  for (let times = 0; times < 2; times += 1) {
    const { engine } = await files.open();
    t.match(await engine.get(run?.id ?? ''), { state: 'running', interruptions: 0 });
    await engine.close(0);
  }
  const { harness } = await live(files);
  t.match(await harness.engine.get(run?.id ?? ''), { state: 'queued', interruptions: 1 });
});

t.test('a process that dies before its suspects have started does not count', async (t) => {
  const first = await live(await journal(t));
  const [run] = await submit(first, 1);
  let life = await first.die();
  for (let times = 0; times < 4; times += 1) life = await life.die();
  t.match(await life.harness.engine.get(run?.id ?? ''), { state: 'queued', interruptions: 1 });
});

t.test('suspects start after queued and new runs, four at first, and one more with each that ends', async (t) => {
  mockTimers(t);
  const first = await live(await journal(t), { concurrency: 12 });
  const suspects = await submit(first, 12);
  const queued = await submit(first, 3);
  const life = await first.die();
  for (const { id } of queued) await life.worker.started(id);
  const added = await submit(life, 1);
  t.strictSame(await life.running(), idsOf([...queued, ...added]));
  life.pause(1);
  for (const { id } of suspects.slice(0, 4)) await life.worker.started(id);
  t.strictSame(await life.running(), idsOf([...suspects.slice(0, 4), ...queued, ...added]));
  (await life.worker.started(suspects[0]?.id ?? '')).settle(success);
  for (const { id } of suspects.slice(4, 6)) await life.worker.started(id);
  t.strictSame(await life.running(), idsOf([...suspects.slice(1, 6), ...queued, ...added]));
});

t.test('a suspect that was interrupted twice runs beside no other suspect', async (t) => {
  mockTimers(t);
  const first = await live(await journal(t));
  const [poison, other] = await submit(first, 2);
  const second = await first.die();
  second.pause(1);
  for (const run of [poison, other]) await second.worker.started(run?.id ?? '');
  const [once] = await submit(second, 1);
  const third = await second.die();
  third.pause(2);
  const attempt = await third.worker.started(once?.id ?? '');
  t.strictSame(await third.running(), [once?.id], 'those interrupted once come first');
  attempt.settle(success);
  await third.worker.started(poison?.id ?? '');
  t.strictSame(await third.running(), [poison?.id]);
  const fourth = await third.die();
  t.match(await fourth.harness.engine.wait(poison?.id ?? '', hour), { state: 'failed' });
  t.match(await fourth.harness.engine.get(other?.id ?? ''), { state: 'queued', interruptions: 2 });
});

t.test('a suspect that does not end keeps the others waiting for five minutes', async (t) => {
  mockTimers(t);
  const first = await live(await journal(t));
  const runs = await submit(first, 2);
  const second = await first.die();
  second.pause(1);
  for (const { id } of runs) await second.worker.started(id);
  const third = await second.die();
  third.pause(2);
  await third.worker.started(runs[0]?.id ?? '');
  mock.timers.tick(300_000 - 1);
  t.equal((await third.running()).length, 1);
  mock.timers.tick(1);
  await third.worker.started(runs[1]?.id ?? '');
  t.strictSame(await third.running(), idsOf(runs));
});

t.test('an attempt that failed without a death clears the suspicion; its run is retried as any other', async (t) => {
  mockTimers(t);
  const first = await live(await journal(t));
  const [run] = await submit(first, 1);
  const id = run?.id ?? '';
  const second = await first.die();
  second.pause(1);
  (await second.worker.started(id)).settle({ kind: 'retry', message: 'the agent answered 503', delayMs: hour });
  await until(async () => (await second.harness.engine.get(id))?.interruptions === 0);
  const third = await second.die();
  t.match((await third.worker.started(id)).run, {
    interruptions: 0,
    failedAttempts: [{ message: 'the gateway died' }, { message: 'the agent answered 503' }],
  });
});

t.test('detached work: a death counts, but a suspect that waits makes place soon, and is trusted later', async (t) => {
  mockTimers(t);
  const first = await live(await journal(t));
  const runs = await submit(first, 6);
  for (const { id } of runs) await (await first.worker.started(id)).save({ task: id });
  const second = await first.die();
  second.pause(1);
  for (const { id } of runs.slice(0, 4)) await second.worker.started(id);
  t.equal((await second.running()).length, 4);
  mock.timers.tick(10_000);
  for (const { id } of runs) t.strictSame((await second.worker.started(id)).checkpoint, { task: id });
  mock.timers.tick(600_000 - 10_000);
  await until(async () => (await second.harness.engine.list({ state: 'suspect', limit: 10 })).length === 2);
  t.match(await second.harness.engine.get(runs[0]?.id ?? ''), { state: 'running', interruptions: 0 });
  const third = await second.die();
  t.match(await third.harness.engine.get(runs[0]?.id ?? ''), { interruptions: 1 });
  t.match(await third.harness.engine.get(runs[5]?.id ?? ''), { interruptions: 2 });
});

t.test('an attempt without a checkpoint is never trusted, however long it lives', async (t) => {
  mockTimers(t);
  const first = await live(await journal(t));
  const [run] = await submit(first, 1);
  const second = await first.die();
  second.pause(1);
  const attempt = await second.worker.started(run?.id ?? '');
  mock.timers.tick(hour);
  t.match(await second.harness.engine.get(run?.id ?? ''), { state: 'running', interruptions: 1 });
  await attempt.save({ task: 'a7' });
  mock.timers.tick(600_000);
  await until(async () => (await second.harness.engine.get(run?.id ?? ''))?.interruptions === 0);
});

t.test('a suspect keeps its turn in its session, and a masked one fails as before', async (t) => {
  mockTimers(t);
  const first = await live(await journal(t));
  const [one, two] = await submit(first, 2, { sessionId: 'conversation 1' });
  const input = { environment: 'api', language: 'en', card: '4111' };
  const [masked] = await submit(first, 1, { input, policy: { ...keepAll, mask: ['/card'] } });
  const second = await first.die();
  t.match(await second.harness.engine.wait(masked?.id ?? '', hour), { failure: { message: /masked/ } });
  t.strictSame(await second.running(), []);
  second.pause(1);
  (await second.worker.started(one?.id ?? '')).settle(success);
  await second.worker.started(two?.id ?? '');
  t.strictSame(
    idsOf(second.worker.attempts.map(({ run }) => run)),
    idsOf([one, two].filter((run) => run !== undefined)),
  );
});

t.test('a suspect is not starved by others that never stop coming', async (t) => {
  const scheduler = new Scheduler({ concurrency: 1, concurrencyOf: () => ({ limit: Infinity, isPerValue: false }) });
  const slot = (interruptions: number) => {
    const run = newRun({ clock: Object(Date) });
    return new RunSlot('queued', {
      record: { ...queuedRecord(run), interruptions },
      policy: run.policy,
      memory: new RunMemory(unmeteredMemory),
    });
  };
  const suspects = [slot(1), slot(1)];
  for (const suspect of suspects) scheduler.add(suspect);
  scheduler.openSuspects(1);
  const order: boolean[] = [];
  for (let count = 0; count < 18; count += 1) {
    scheduler.add(slot(0));
    const next = scheduler.next();
    order.push(next?.isSuspect === true);
    if (next !== undefined) scheduler.remove(next);
  }
  t.strictSame(
    order.flatMap((isSuspect, index) => (isSuspect ? [index] : [])),
    [8, 17],
  );
});
