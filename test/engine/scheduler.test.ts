import fc from 'fast-check';
import t from 'tap';
import { newRun } from '../../src/engine/conformance/harness.ts';
import { queuedRecord } from '../../src/engine/execution/records.ts';
import { RunMemory } from '../../src/engine/execution/run-memory.ts';
import { RunSlot } from '../../src/engine/execution/run-slot.ts';
import { Scheduler } from '../../src/engine/execution/scheduler.ts';
import { unmeteredMemory } from '../../src/engine/execution/unmetered-memory.ts';
import type { Concurrency, NewRun } from '../../src/engine/types/index.ts';

function slotOf(concurrencyValue: string | undefined, changes: Partial<NewRun> = {}): RunSlot {
  const run = newRun({ clock: Object(Date) }, { concurrencyValue, ...changes });
  return new RunSlot('queued', {
    record: queuedRecord(run),
    policy: run.policy,
    memory: new RunMemory(unmeteredMemory),
  });
}

function schedulerOf(concurrency: number, of: Concurrency): Scheduler {
  return new Scheduler({ concurrency, concurrencyOf: () => of });
}

function fill(scheduler: Scheduler): RunSlot[] {
  const started: RunSlot[] = [];
  for (let run = scheduler.next(); run !== undefined; run = scheduler.next()) started.push(run);
  return started;
}

const perValue = (limit: number): Concurrency => ({ limit, isPerValue: true });

t.test('a value with 1,000 queued runs does not delay the first run of another one', async (t) => {
  const scheduler = schedulerOf(4, perValue(4));
  for (let count = 0; count < 1000; count += 1) scheduler.add(slotOf('busy'));
  const running = fill(scheduler);
  t.equal(running.length, 4);
  const late = slotOf('late');
  scheduler.add(late);
  scheduler.remove(running[0] as RunSlot);
  const [second, third] = [scheduler.next(), scheduler.next()];
  t.equal(third, undefined);
  scheduler.remove(second as RunSlot);
  t.equal([second, scheduler.next()].includes(late), true, 'at most one other start precedes it');
});

t.test('a limit for the whole trigger has no regard to values', async (t) => {
  const scheduler = schedulerOf(100, { limit: 2, isPerValue: false });
  for (const value of ['a', 'b', 'c', undefined]) scheduler.add(slotOf(value));
  t.equal(fill(scheduler).length, 2);
});

t.test('runs without a value share the places of one', async (t) => {
  const scheduler = schedulerOf(100, perValue(1));
  for (const value of [undefined, undefined, '', 'a']) scheduler.add(slotOf(value));
  t.equal(fill(scheduler).length, 2);
});

t.test('a limit may change while runs are queued, in its number and in what it limits', async (t) => {
  let current = perValue(1);
  const scheduler = new Scheduler({ concurrency: 100, concurrencyOf: () => current });
  for (const value of ['a', 'a', 'a', 'b', 'b']) scheduler.add(slotOf(value));
  t.equal(fill(scheduler).length, 2);
  current = { limit: 3, isPerValue: false };
  scheduler.reopen();
  t.equal(fill(scheduler).length, 1);
  current = perValue(2);
  scheduler.reopen();
  t.equal(fill(scheduler).length, 1);
  t.equal(scheduler.queued, 1);
});

t.test('runs of values take turns, each within its places, and every run starts', async (t) => {
  const values = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 60 });
  const places = fc.integer({ min: 1, max: 6 });
  const turns = fc.property(
    values,
    places,
    places,
    fc.infiniteStream(fc.nat()),
    (arriving, concurrency, limit, choices) => {
      const scheduler = schedulerOf(concurrency, perValue(limit));
      const waiting = new Map<string, number>();
      const running: RunSlot[] = [];
      /** By value with runs that wait: how often each other one started since its last turn. */
      const passedBy = new Map<string, Map<string, number>>();
      const of = (value: string) => running.filter((run) => run.value === value).length;
      for (const value of arriving) {
        scheduler.add(slotOf(value));
        waiting.set(value, (waiting.get(value) ?? 0) + 1);
      }
      for (let left = arriving.length; left > 0; ) {
        for (const run of fill(scheduler)) {
          running.push(run);
          if (of(run.value) > limit) return false;
          waiting.set(run.value, (waiting.get(run.value) ?? 0) - 1);
          passedBy.delete(run.value);
          for (const [value, count] of waiting) {
            // A value with all of its places taken waits for itself.
            if (value === run.value || count === 0 || of(value) >= limit) {
              passedBy.delete(value);
              continue;
            }
            const passes = passedBy.get(value) ?? new Map<string, number>();
            passes.set(run.value, (passes.get(run.value) ?? 0) + 1);
            passedBy.set(value, passes);
            if ((passes.get(run.value) ?? 0) > 1) return false;
          }
        }
        if (running.length > concurrency) return false;
        // It must not be possible to start more.
        const isFull = running.length === concurrency;
        for (const [value, count] of waiting) if (!isFull && count > 0 && of(value) < limit) return false;
        const [ended] = running.splice((choices.next().value ?? 0) % running.length, 1);
        scheduler.remove(ended as RunSlot);
        left -= 1;
      }
      return scheduler.queued === 0 && scheduler.running === 0;
    },
  );
  t.doesNotThrow(() => fc.assert(turns));
});

t.test('a session keeps its order among values, and a paused run gives the place of its value away', async (t) => {
  const scheduler = schedulerOf(100, perValue(1));
  const session = { sessionId: 'one', caller: 'website' };
  const [first, second] = [slotOf('a', session), slotOf('b', session)];
  const other = slotOf('a');
  for (const run of [first, second, other]) scheduler.add(run);
  t.strictSame(fill(scheduler), [first]);
  scheduler.pause(first);
  t.strictSame(fill(scheduler), [other]);
  scheduler.ready(first);
  t.strictSame(fill(scheduler), []);
  scheduler.remove(other);
  t.strictSame(fill(scheduler), [first]);
  scheduler.remove(first);
  t.strictSame(fill(scheduler), [second]);
});
