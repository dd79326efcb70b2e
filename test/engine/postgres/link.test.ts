import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { openStore } from '../../../src/engine/postgres/open-store.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { defaults, testDatabase } from './database.ts';

const info = {
  ...{ name: 'test', version: '0', revision: 'r', commit: undefined, isDirty: false, keyDigest: '', running: 0 },
};

t.test('the connection of a lease', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const { store } = await openStore({ ...defaults, url: database.url }, (path) => path);
  t.teardown(() => store.close());
  const peer = { want: () => undefined, taken() {}, hint() {} };

  await t.test('has one query at a time: the driver warns of others, on the log of the gateway', async (t) => {
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on('warning', warn);
    t.teardown(() => process.off('warning', warn));
    const life = await store.register(info, 60_000);
    store.attach(life, peer);
    const beats = await Promise.all(Array.from({ length: 3 }, () => store.beat(life, info, 60_000)));
    t.ok(beats.every(({ kind }) => kind === 'alive'));
    await setImmediate();
    t.strictSame(warnings, []);
  });

  await t.test('goes on after a query that failed', async (t) => {
    const life = await store.register(info, 60_000);
    const failing = store.beat('not an id', info, 60_000);
    const beat = store.beat(life, info, 60_000);
    await t.rejects(failing);
    t.match(await beat, { kind: 'alive' });
  });
});
