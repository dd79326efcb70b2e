import t from 'tap';
import { foreverMs, newRun, until } from '../../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../../src/engine/conformance/worker.ts';
import { AttemptReleased, type Engine } from '../../../src/engine/types/index.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { testDatabase } from './database.ts';

const clock = { now: Date.now, advance() {} };
const skip = skipWithoutPostgres;
const options = { lease: 1500 };

/** Waits until the lease of a node is over. */
async function untilOut(engine: Engine): Promise<void> {
  await until(async () => {
    const health = await engine.health();
    return (health.kind === 'unavailable' && health.reason.includes('lease')) || undefined;
  });
}

t.test(
  'what a run streams is read at another node, from a position, and after its end there is no more',
  { skip },
  async (t) => {
    const database = await testDatabase(t);
    const [a, b] = [await database.open(options), await database.open(options)];
    t.teardown(() => Promise.all([a.engine.close(0), b.engine.close(0)]));
    const worker = new Worker();
    await b.engine.start(worker);
    const run = newRun({ clock });
    const submission = await a.engine.submit(run, undefined);
    if (submission.kind !== 'accepted') throw new Error(submission.kind);
    const reader = submission.deltas()[Symbol.asyncIterator]();
    const first = reader.next();
    const attempt = await worker.started(run.id);
    attempt.emit({ kind: 'delta', text: 'Good ' });
    t.strictSame((await first).value, { attempt: 1, offset: 0, text: 'Good ' });
    attempt.emit({ kind: 'delta', text: 'morning' });
    t.strictSame((await reader.next()).value, { attempt: 1, offset: 5, text: 'morning' });
    const late = a.engine.deltas(run.id, { attempt: 1, offset: 2 })[Symbol.asyncIterator]();
    t.strictSame((await late.next()).value, { attempt: 1, offset: 2, text: 'od morning' });
    const long = '😀'.repeat(20_000);
    attempt.emit({ kind: 'delta', text: long });
    let text = '';
    while (text.length < long.length) text += (await reader.next()).value?.text ?? '';
    t.equal(text, long);
    const ends = [reader.next(), submission.wait(foreverMs)] as const;
    attempt.settle(success);
    t.equal((await ends[0]).done, true);
    t.match(await ends[1], { state: 'succeeded', output: { answer: 42 } });
  },
);

t.test('a run goes on at another node when its node stops, and its reader with it', { skip }, async (t) => {
  const database = await testDatabase(t);
  const [a, b] = [await database.open(options), await database.open(options)];
  t.teardown(() => Promise.all([a.engine.close(0), b.engine.close(0)]));
  const [first, second] = [new Worker(), new Worker()];
  await b.engine.start(first);
  const run = newRun({ clock });
  await a.engine.submit(run, undefined);
  const attempt = await first.started(run.id);
  const reader = a.engine.deltas(run.id)[Symbol.asyncIterator]();
  attempt.emit({ kind: 'delta', text: 'begun' });
  t.match((await reader.next()).value, { attempt: 1, text: 'begun' });
  const wait = a.engine.wait(run.id, foreverMs);
  await a.engine.start(second);
  await b.engine.close(0);
  t.ok(AttemptReleased.is(attempt.signal.reason));
  const next = await second.started(run.id);
  t.match(next.run, { attempt: 2, interruptions: 0 });
  next.emit({ kind: 'delta', text: 'again' });
  t.strictSame((await reader.next()).value, { attempt: 2, offset: 0, text: 'again' });
  next.settle(success);
  t.match(await wait, { state: 'succeeded', attempt: 2 });
});

t.test('a cancellation at one node aborts the attempt at another', { skip }, async (t) => {
  const database = await testDatabase(t);
  const [a, b] = [await database.open(options), await database.open(options)];
  t.teardown(() => Promise.all([a.engine.close(0), b.engine.close(0)]));
  const worker = new Worker();
  await b.engine.start(worker);
  const run = newRun({ clock });
  await a.engine.submit(run, undefined);
  const { signal } = await worker.started(run.id);
  t.strictSame(await a.engine.cancel(run.id), { kind: 'cancelled' });
  await until(async () => signal.aborted || undefined);
  t.notOk(AttemptReleased.is(signal.reason));
});

t.test('a node that was buried aborts its attempts and joins again', { skip }, async (t) => {
  const database = await testDatabase(t);
  const { engine } = await database.open(options);
  t.teardown(() => engine.close(0));
  const worker = new Worker();
  await engine.start(worker);
  const run = newRun({ clock });
  await engine.submit(run, undefined);
  const { signal } = await worker.started(run.id);
  await database.query('SELECT pullcord.v1_leave(life, NULL) FROM pullcord.nodes');
  await until(async () => signal.aborted || undefined);
  t.ok(AttemptReleased.is(signal.reason));
  const again = await until(async () => worker.attempts[1]);
  t.match(again.run, { id: run.id, attempt: 2 });
  again.settle(success);
  t.match(await engine.wait(run.id, foreverMs), { state: 'succeeded' });
});

t.test(
  'a node that cannot reach the store for as long as its lease aborts its attempts, and may go on if it is to',
  { skip },
  async (t) => {
    for (const onPartition of ['abort', 'continue'] as const) {
      const database = await testDatabase(t);
      const { engine } = await database.open({ ...options, onPartition });
      const worker = new Worker();
      await engine.start({ execute: (run, it) => (run.attempt > 1 ? success : worker.execute(run, it)) });
      const run = newRun({ clock });
      await engine.submit(run, undefined);
      const attempt = await worker.started(run.id);
      await database.server.crash();
      await untilOut(engine);
      t.equal(attempt.signal.aborted, onPartition === 'abort');
      attempt.settle(success);
      await database.server.restart();
      const wait = async () => engine.wait(run.id, 20_000);
      const record = await wait().catch(wait);
      t.match(record, { state: 'succeeded', attempt: onPartition === 'abort' ? 2 : 1 });
      await engine.close(0);
    }
  },
);
