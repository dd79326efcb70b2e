import t from 'tap';
import { newClaim, newRun } from '../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../src/engine/conformance/worker.ts';
import { skipWithoutPostgres } from '../support/postgres.ts';
import { clock, copy, newPath, open, openJournal, type Place } from './copy/stores.ts';
import { journal } from './journal.ts';
import { testDatabase } from './postgres/database.ts';

const oneAtATime = { concurrencyOf: () => ({ limit: 1, isPerValue: false }) };

for (const [from, to] of [
  ['sqlite', 'postgres'],
  ['postgres', 'sqlite'],
] as const) {
  t.test(`${to} goes on where ${from} has stopped`, { skip: skipWithoutPostgres }, async (t) => {
    const database = await testDatabase(t);
    const placeOf = async (kind: 'sqlite' | 'postgres'): Promise<Place> =>
      kind === 'sqlite' ? [kind, await newPath(t)] : [kind, database.url];
    const [source, target] = [await placeOf(from), await placeOf(to)];
    const before = await open(source, database);
    const worker = new Worker();
    await before.engine.start({ ...oneAtATime, execute: worker.execute, notify: () => 20 });
    const run = (changes: Parameters<typeof newRun>[1] = {}) => newRun({ clock }, changes);
    const policy = { keep: 'metadata', mask: [], sessionTtlMs: 3_600_000, notify: true } as const;
    const first = run({ sessionId: 'a session', policy });
    await before.engine.submit(first, newClaim({ fingerprint: 'first' }));
    (await worker.started(first.id)).settle({ ...success, memory: { turns: 3 } });
    await before.engine.wait(first.id, 60_000);
    const executed = run();
    await before.engine.submit(executed, newClaim({ fingerprint: 'executed', windowMs: 1 }));
    await (await worker.started(executed.id)).save({ handle: 7 });
    const queued = [run({ sessionId: 'a session' }), run(), run({ sessionId: 'a session' }), run(), run()];
    for (const [index, one] of queued.entries()) {
      await before.engine.submit(one, newClaim({ fingerprint: `queued ${index}`, windowMs: 3_600_000 }));
    }
    const burst = run({ trigger: 'bursts', debounce: { key: 'a burst', waitMs: 3_600_000, maxMs: 3_600_000 } });
    await before.engine.submit(burst, undefined);
    await before.engine.close(0);

    await copy(source, target);
    const after = await open(target, database);
    t.teardown(() => after.engine.close(0));
    t.match(await after.engine.get(executed.id), {
      ...{ state: 'queued', interruptions: 0 },
      failedAttempts: [{ attempt: 1, message: 'the gateway stopped' }],
    });
    const duplicate = (fingerprint: string) => after.engine.submit(run(), newClaim({ fingerprint }));
    t.strictSame(await duplicate('first'), { kind: 'duplicate', runId: first.id });
    t.strictSame(await duplicate('executed'), { kind: 'duplicate', runId: executed.id });
    t.strictSame(await duplicate('queued 1'), { kind: 'duplicate', runId: queued[1]?.id });
    const next = new Worker();
    const notified = Promise.withResolvers<unknown>();
    await after.engine.start({
      ...{ ...oneAtATime, execute: next.execute },
      notify(record) {
        if (record.id === first.id) notified.resolve(record.output);
        return undefined;
      },
    });
    const resumed = await next.started(executed.id);
    t.strictSame([resumed.run.attempt, resumed.checkpoint], [2, { handle: 7 }]);
    resumed.settle(success);
    const [inSession, ...others] = queued;
    const attempt = await next.started(inSession?.id ?? '');
    t.strictSame(attempt.session?.memory, { turns: 3 });
    attempt.settle(success);
    await Promise.all(others.map(async ({ id }) => (await next.started(id)).settle(success)));
    // Engines differ in where a run lines up that waited for its session.
    for (const sessionId of [undefined, 'a session']) {
      const expected = [executed, ...queued].filter((one) => one.sessionId === sessionId);
      const started = next.attempts.filter((one) => one.run.sessionId === sessionId);
      t.strictSame(
        started.map(({ run: { id } }) => id),
        expected.map(({ id }) => id),
        'in line',
      );
    }
    t.strictSame(await notified.promise, success.output, 'the callback has the output that the policy does not keep');
    t.match(await after.engine.get(burst.id), { state: 'queued', attempt: 0 });
  });
}

t.test(
  'a masked run that waits fails as it would at the start of its gateway',
  { skip: skipWithoutPostgres },
  async (t) => {
    const database = await testDatabase(t);
    const path = await newPath(t);
    const before = await openJournal(path);
    const policy = { keep: 'full', mask: ['/secret'], sessionTtlMs: 1000, notify: false } as const;
    const run = newRun({ clock }, { policy, startsAt: Date.now() + 3_600_000 });
    await before.engine.start({ execute: () => success });
    await before.engine.submit(run, newClaim());
    await before.engine.close(0);
    await copy(['sqlite', path], ['postgres', database.url]);
    const { engine } = await database.open({ lease: 1000 });
    t.teardown(() => engine.close(0));
    await engine.start({ execute: () => success });
    t.match(await engine.wait(run.id, 60_000), { state: 'failed', failure: { message: /masked parts/ } });
    const again = newRun({ clock });
    t.equal((await engine.submit(again, newClaim())).kind, 'accepted', 'its claim is released');
  },
);

t.test('runs of a gateway that has died count its death', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const files = await journal(t);
  const { engine } = await files.open();
  const worker = new Worker();
  await engine.start({ execute: worker.execute });
  const run = newRun({ clock });
  await engine.submit(run, undefined);
  await worker.started(run.id);
  const { path } = await files.afterDeath();
  await copy(['sqlite', path], ['postgres', database.url]);
  const died = { state: 'queued', interruptions: 1, failedAttempts: [{ attempt: 1, message: 'the gateway died' }] };
  const shared = await database.open();
  t.match(await shared.engine.get(run.id), died);
  await shared.engine.close(0);
  await database.query(
    `UPDATE pullcord.queue SET phase = 'running', attempt = 2, started_at = 5, owner = gen_random_uuid()`,
  );
  const back = await newPath(t);
  await copy(['postgres', database.url], ['sqlite', back]);
  const moved = await openJournal(back);
  t.match(await moved.engine.get(run.id), {
    ...died,
    interruptions: 2,
    failedAttempts: [{}, { attempt: 2, startedAt: 5 }],
  });
  await moved.engine.close(0);
  worker.attempts[0]?.settle(success);
});
