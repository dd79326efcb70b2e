import pg from 'pg';
import t from 'tap';
import type { SubmitOperation } from '../../../src/engine/cluster/shared-store.ts';
import { foreverMs, newClaim, newRun } from '../../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../../src/engine/conformance/worker.ts';
import { openStore } from '../../../src/engine/postgres/open-store.ts';
import type { LimitCharge } from '../../../src/engine/types/index.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { defaults, testDatabase } from './database.ts';

const clock = { now: Date.now, advance() {} };
const info = {
  ...{ name: 'test', version: '0', revision: 'r', commit: undefined, isDirty: false, keyDigest: '', running: 0 },
};

function operation(changes: Partial<SubmitOperation['run']> = {}): SubmitOperation {
  return { run: newRun({ clock }, changes), isMasked: false, value: undefined, claim: undefined, limits: [] };
}

t.test('what the database cannot store', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const { store } = await openStore({ ...defaults, url: database.url }, (path) => path);
  t.teardown(() => store.close());
  const life = await store.register(info, 60_000);
  // Random, since the database compresses.
  const long = Array.from({ length: 4000 }, () => newRun({ clock }).id).join('');
  const infinite: LimitCharge = {
    ...{ limit: 'l', value: 'v', unit: 'tokens', amount: 1.7e308, unreported: 0, isShadow: false, maxValues: 2.5 },
    rule: { kind: 'window', amount: 1.7e308, periodMs: 1000 },
  };
  for (const [name, refused] of [
    ['a value that an index cannot hold', { ...operation({ concurrencyValue: long }), value: long }],
    ['a time that is no whole number', operation({ startsAt: Date.now() + 1000.5 })],
    ['a time beyond all calendars', operation({ startsAt: 1e300 })],
    ['a number that overflows', { ...operation(), limits: [infinite] }],
  ] as const) {
    await t.test(`is refused alone in its batch: ${name}`, async (t) => {
      const others = Array.from({ length: 6 }, () => operation({ requestId: '\0\ud800' }));
      const answers = [...others.slice(0, 3), refused, ...others.slice(3)].map((one) => store.submit(life, one));
      const settled = await Promise.allSettled(answers);
      t.strictSame(
        settled.map(({ status }) => status),
        others.map(() => 'fulfilled').toSpliced(3, 0, 'rejected'),
      );
      for (const { run } of others) t.match(await store.get(run.id), { state: 'queued', requestId: '\0\ud800' });
    });
  }

  await t.test('is refused alone among what attempts write', async (t) => {
    const { run } = operation();
    await store.submit(life, { ...operation(), run });
    const write = (attempt: number) => store.write(life, { kind: 'save', runId: run.id, attempt, checkpoint: '{}' });
    const settled = await Promise.allSettled([write(1), write(1.5), write(2)]);
    t.strictSame(
      settled.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
  });
});

t.test('claims of different lone surrogates are different', { skip: skipWithoutPostgres }, async (t) => {
  const { engine } = await (await testDatabase(t)).open();
  t.teardown(() => engine.close(0));
  for (const fingerprint of ['\ud800', '\ud801', '\ufffd']) {
    t.match(await engine.submit(newRun({ clock }), newClaim({ fingerprint })), { kind: 'accepted' });
  }
  t.match(await engine.submit(newRun({ clock }), newClaim({ fingerprint: '\ud800' })), { kind: 'duplicate' });
});

t.test('lists leave connections to submissions', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const { engine } = await database.open();
  t.teardown(() => engine.close(0));
  await engine.submit(newRun({ clock }), undefined);
  const blocking = new pg.Client(database.url);
  await blocking.connect();
  t.teardown(() => blocking.end());
  // Lists read the results, and an acceptance does not.
  await blocking.query('BEGIN; LOCK TABLE pullcord.results');
  const lists = Array.from({ length: 20 }, () => engine.list({ limit: 1 }));
  t.match(await engine.submit(newRun({ clock }), undefined), { kind: 'accepted' });
  await blocking.query('COMMIT');
  t.ok((await Promise.all(lists)).every(({ length }) => length === 1));
});

t.test('nodes hear each other', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const other = new pg.Client(database.url);
  await other.connect();
  t.teardown(() => other.end());
  const garbage = [
    '',
    'x',
    '{}',
    '[1]',
    'null',
    '{"kind":"delta","run":"x"}',
    '{"kind":"follow","run":"x","from":"y"}',
  ];

  for (const [name, schema] of [
    ['whatever else is notified on their channels', 'pullcord'],
    ['with the longest name of a schema', 'p'.repeat(40)],
  ] as const) {
    await t.test(name, async (t) => {
      const [a, b] = [await database.open({ schema }), await database.open({ schema })];
      t.teardown(() => Promise.all([a.engine.close(0), b.engine.close(0)]));
      const worker = new Worker();
      await b.engine.start(worker);
      const run = newRun({ clock });
      const submission = await a.engine.submit(run, undefined);
      if (submission.kind !== 'accepted') throw new Error(submission.kind);
      if (schema === 'pullcord') {
        for (const channel of ['done', 'ready', a.engine.life, b.engine.life]) {
          for (const text of garbage) await other.query('SELECT pg_notify($1, $2)', [`${schema}_${channel}`, text]);
        }
      }
      const first = submission.deltas()[Symbol.asyncIterator]().next();
      const attempt = await worker.started(run.id);
      attempt.emit({ kind: 'delta', text: 'Good morning' });
      t.match((await first).value, { text: 'Good morning' });
      attempt.settle(success);
      t.match(await submission.wait(foreverMs), { state: 'succeeded' });
    });
  }
});
