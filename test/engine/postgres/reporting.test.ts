import t from 'tap';
import { keepAll, newRun, until } from '../../../src/engine/conformance/harness.ts';
import { Worker } from '../../../src/engine/conformance/worker.ts';
import { openStore } from '../../../src/engine/postgres/open-store.ts';
import type { RunRecord } from '../../../src/engine/types/index.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { defaults, testDatabase } from './database.ts';

const clock = { now: Date.now, advance() {} };
const skip = skipWithoutPostgres;
const info = {
  ...{ name: 'test', version: '0', revision: 'r', commit: undefined, isDirty: false, keyDigest: '', running: 0 },
};
const input = { environment: 'api', language: 'en', secret: 'hidden' };
const policy = { ...keepAll, mask: ['/secret'] };

t.test('a node knows how many are alive, and for how long its own lease holds', { skip }, async (t) => {
  const database = await testDatabase(t);
  const [a, b] = [await database.open({ lease: 6000 }), await database.open({ lease: 6000 })];
  t.teardown(() => b.engine.close(0));
  t.strictSame(a.engine.membership, { nodes: 0, leaseMs: 0 });
  for (const { engine } of [a, b]) await engine.start(new Worker());
  await until(async () => a.engine.membership?.nodes === 2 || undefined);
  const { leaseMs = 0 } = a.engine.membership ?? {};
  t.ok(leaseMs > 0 && leaseMs < 6000);
  await a.engine.close(0);
  t.equal(a.engine.membership?.leaseMs, 0);
  await until(async () => b.engine.membership?.nodes === 1 || undefined);
});

t.test('a node reports what fails because it leaves: nobody else has the whole input', { skip }, async (t) => {
  const database = await testDatabase(t);
  const { engine } = await database.open({ lease: 1500 });
  const worker = new Worker();
  const ends: RunRecord[] = [];
  await engine.start({ execute: worker.execute, ended: (run) => void ends.push(run) });
  const [masked, other] = [newRun({ clock }, { input, policy }), newRun({ clock })];
  for (const run of [masked, other]) {
    await engine.submit(run, undefined);
    await worker.started(run.id);
  }
  await engine.close(0);
  t.match(ends, [{ id: masked.id, state: 'failed', attempt: 1 }]);
  t.equal(ends.length, 1, 'the other one is queued again');
});

t.test('the node that buries another one learns which runs have failed by that', { skip }, async (t) => {
  const database = await testDatabase(t);
  const { store } = await openStore({ ...defaults, url: database.url }, (path) => path);
  t.teardown(() => store.close());
  const own = await store.register(info, 60_000);
  const dead = await store.register(info, 1);
  const operation = (isMasked: boolean) => {
    return { run: newRun({ clock }), isMasked, value: undefined, claim: undefined, limits: [] };
  };
  const [masked, other] = [operation(true), operation(false)];
  for (const one of [masked, other]) t.match(await store.submit(dead, one), { kind: 'accepted' });
  t.match(await store.beat(own, info, 1), { kind: 'alive', ended: [masked.run.id] });
  t.match(await store.get(masked.run.id), { state: 'failed' });
  t.match(await store.get(other.run.id), { state: 'queued' });
  t.match(await store.beat(own, info, 60_000), { kind: 'alive', ended: [] });
});
