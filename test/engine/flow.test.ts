import { mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { keepAll, newRun } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import { DelayedRuns } from '../../src/engine/execution/delayed-runs.ts';
import { queuedRecord } from '../../src/engine/execution/records.ts';
import { RunMemory } from '../../src/engine/execution/run-memory.ts';
import { RunSlot } from '../../src/engine/execution/run-slot.ts';
import { unmeteredMemory } from '../../src/engine/execution/unmetered-memory.ts';
import { journal } from './journal.ts';

const dayMs = 86_400_000;

function delayedSlot(startsAt: number): RunSlot {
  const run = newRun({ clock: Object(Date) }, { startsAt });
  return new RunSlot('queued', {
    record: queuedRecord(run),
    policy: run.policy,
    memory: new RunMemory(unmeteredMemory),
  });
}

t.test(
  'delayed runs are due at their time, by it and then in order of acceptance, whatever the timers can last',
  (t) => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_700_000_000_000 });
    t.teardown(() => mock.timers.reset());
    const now = Date.now();
    const due: (readonly RunSlot[])[] = [];
    const delayed = new DelayedRuns(Date, (slots) => due.push(slots));
    const [late, soon, second, third, removed] = [40 * dayMs, 1, 2, 2, 2].map((ms) => delayedSlot(now + ms));
    const all = [late, soon, second, third, removed].filter((slot) => slot !== undefined);
    for (const slot of all) t.ok(delayed.take(slot));
    t.notOk(delayed.take(delayedSlot(now)), 'its time has come');
    t.ok(removed && delayed.remove(removed));
    t.notOk(removed && delayed.remove(removed));
    t.equal(delayed.size, 4);
    mock.timers.tick(1);
    mock.timers.tick(1);
    t.strictSame(due, [[soon], [second, third]]);
    for (let passed = 2; passed < 40 * dayMs - 60_000; passed += 60_000) mock.timers.tick(60_000);
    t.equal(delayed.size, 1);
    mock.timers.tick(60_000);
    t.strictSame(due[2], [late]);
    t.equal(delayed.size, 0);
    t.end();
  },
);

t.test('the clock, and not the timer, decides when a run is due; removed runs do not pile up', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const clock = { now: () => 0 };
  const due: (readonly RunSlot[])[] = [];
  const delayed = new DelayedRuns(clock, (slots) => due.push(slots));
  const slot = delayedSlot(5);
  delayed.take(slot);
  mock.timers.tick(5);
  t.strictSame(due, [], 'the time of day was set back');
  clock.now = () => 5;
  mock.timers.tick(5);
  t.strictSame(due, [[slot]]);
  for (let count = 0; count < 1000; count += 1) {
    const one = delayedSlot(100);
    delayed.take(one);
    delayed.remove(one);
  }
  t.equal(delayed.size, 0);
  t.ok(delayed.held <= 100);
  delayed.clear();
  t.end();
});

t.test('the time at which a run may start survives the death of the process', async (t) => {
  const before = await journal(t);
  const first = await before.open();
  await first.engine.start({ execute: new Worker().execute });
  const startsAt = first.clock.now() + 20;
  const [later, soon] = [newRun(first, { startsAt }), newRun(first, { startsAt: first.clock.now() })];
  for (const run of [later, soon]) await first.engine.submit(run, undefined);
  const second = await (await before.afterDeath()).open({ maxInterruptions: 1 });
  const worker = new Worker();
  await second.engine.start({ execute: worker.execute });
  await setImmediate();
  t.match(await second.engine.get(later.id), { state: 'queued', startsAt, interruptions: 0 });
  t.strictSame(worker.attempts, []);
  second.clock.advance(20);
  (await worker.started(later.id)).settle(success);
  t.match(await second.engine.wait(later.id, 60_000), { state: 'succeeded' });
});

t.test('the values that limit concurrency survive the death of the process', async (t) => {
  const before = await journal(t);
  const first = await before.open();
  const runs = ['a', 'a', 'b', undefined].map((concurrencyValue) => newRun(first, { concurrencyValue }));
  for (const run of runs) await first.engine.submit(run, undefined);
  const second = await (await before.afterDeath()).open();
  const worker = new Worker();
  await second.engine.start({ execute: worker.execute, concurrencyOf: () => ({ limit: 1, isPerValue: true }) });
  for (const index of [0, 2, 3]) await worker.started(runs[index]?.id ?? '');
  t.strictSame(second.engine.load(), { queued: 1, running: 3 });
  (await worker.started(runs[0]?.id ?? '')).settle(success);
  await worker.started(runs[1]?.id ?? '');
  t.strictSame(second.engine.load(), { queued: 0, running: 3 });
});

t.test('a value that may be masked limits its run, and is not stored', async (t) => {
  const before = await journal(t);
  const { engine, clock } = await before.open({ concurrency: 2 });
  const worker = new Worker();
  await engine.start({ execute: worker.execute, concurrencyOf: () => ({ limit: 1, isPerValue: true }) });
  const input = { environment: 'api', language: 'en', customer: { id: '4111' } };
  const masked = { input, concurrencyValue: '4111', policy: { ...keepAll, mask: ['/customer/id'] } };
  const runs = [newRun({ clock }, masked), newRun({ clock }, masked)];
  for (const run of runs) await engine.submit(run, undefined);
  t.strictSame(engine.load(), { queued: 1, running: 1 });
  t.equal((await engine.get(runs[0]?.id ?? ''))?.concurrencyValue, undefined);
});
