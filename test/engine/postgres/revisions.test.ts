import t from 'tap';
import type { SharedStore, Want } from '../../../src/engine/cluster/shared-store.ts';
import { newRun } from '../../../src/engine/conformance/harness.ts';
import { openStore } from '../../../src/engine/postgres/open-store.ts';
import type { Life, NodeInfo } from '../../../src/engine/types/index.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { defaults, type TestDatabase, testDatabase } from './database.ts';

const clock = { now: Date.now, advance() {} };
const lane = { project: 'support', trigger: 'refund-request' };
const rule = { ...lane, isServed: true, limit: undefined, isPerValue: false };

interface Node {
  readonly store: SharedStore;
  readonly life: Life;
  readonly info: NodeInfo;
  readonly want: Want;
}

/** A node without an engine that serves a revision; the later of two serves the newer one. */
async function register(database: TestDatabase, store: SharedStore, revision: string): Promise<Node> {
  const info = {
    ...{ name: 'test', version: '0', commit: undefined, isDirty: false, keyDigest: '', running: 0 },
    revision,
  };
  // Whatever was registered before is older, also within the same millisecond.
  await database.query('UPDATE pullcord.revisions SET since = since - 1000');
  const life = await store.register(info, 60_000);
  const turn = { lane: '', values: {} };
  return { store, life, info, want: { revision, runs: 100, suspect: true, turn, caps: new Map(), unserved: true } };
}

async function submit({ store, life }: Node): Promise<string> {
  const run = newRun({ clock });
  const answer = await store.submit(life, { run, isMasked: false, value: undefined, claim: undefined, limits: [] });
  if (answer.kind !== 'accepted') throw new Error(answer.kind);
  return run.id;
}

/** Ends the lease of a node, and lets another one notice. */
async function bury(database: TestDatabase, dead: Node, by: Node): Promise<void> {
  await database.query("UPDATE pullcord.nodes SET watches_since = watches_since - interval '1 hour'");
  await database.query(
    `UPDATE pullcord.nodes SET lease_until = clock_timestamp() - interval '1 ms' WHERE life = '${dead.life}'`,
  );
  await by.store.beat(by.life, by.info, 60_000);
}

const taken = async ({ store, life, want }: Node) => (await store.take(life, want)).runs.map(({ record }) => record.id);

t.test('revisions of nodes', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const { store } = await openStore({ ...defaults, url: database.url }, (path) => path);
  t.teardown(() => store.close());
  t.beforeEach(() => database.empty());
  const node = (revision: string) => register(database, store, revision);

  await t.test('the limit of a lane is that of the newest revision, at every node', async (t) => {
    const old = await node('old');
    await old.store.serve('old', [{ ...rule, limit: 1 }]);
    for (let index = 0; index < 10; index += 1) await submit(old);
    t.equal((await taken(old)).length, 1);
    const new_ = await node('new');
    await new_.store.serve('new', [{ ...rule, limit: 4 }]);
    t.equal((await taken(old)).length, 3, 'the old one takes up to the new limit');
    t.equal((await taken(new_)).length, 0, 'both count the same runs');
    const newest = await node('newest');
    await newest.store.serve('newest', [{ ...rule, isServed: false }]);
    t.equal((await taken(old)).length, 0);
    await newest.store.serve('newest', [{ ...rule, limit: 6 }]);
    t.equal((await taken(new_)).length, 2);
  });

  await t.test('a revision that was rolled back no longer limits a lane', async (t) => {
    const old = await node('old');
    await old.store.serve('old', [{ ...rule, limit: 3 }]);
    const new_ = await node('new');
    await new_.store.serve('new', [{ ...rule, limit: 1 }]);
    for (let index = 0; index < 10; index += 1) await submit(old);
    t.equal((await taken(old)).length, 1);
    await new_.store.leave(new_.life);
    t.equal((await taken(old)).length, 2);
  });

  await t.test('a run whose trigger a node does not know waits for one that may', async (t) => {
    const old = await node('old');
    await old.store.serve('old', [{ ...rule, isServed: false }]);
    const new_ = await node('new');
    await new_.store.serve('new', [rule]);
    const run = await submit(new_);
    // As of its last beat it is alone.
    t.strictSame(await taken(old), []);
    t.strictSame(await taken(new_), [run]);
    await bury(database, new_, old);
    t.strictSame(await taken(old), [], 'the newer revision may come back');
    const again = await node('new');
    t.strictSame(await taken(again), [run]);
  });

  await t.test('a run whose trigger the newest revision does not know is taken, and can fail', async (t) => {
    const old = await node('old');
    await old.store.serve('old', [rule]);
    const run = await submit(old);
    const new_ = await node('new');
    await new_.store.serve('new', [{ ...rule, isServed: false }]);
    t.strictSame(await taken(new_), [], 'the old one may execute it');
    await old.store.leave(old.life);
    t.strictSame(await taken({ ...new_, want: { ...new_.want, unserved: false } }), []);
    t.strictSame(await taken(new_), [run]);
  });

  await t.test('a lane of suspects alone is asked for in a new revision', async (t) => {
    const watcher = await node('r');
    await watcher.store.serve('r', [rule]);
    const run = await submit(watcher);
    for (let death = 0; death < 2; death += 1) {
      const victim = await node('r');
      t.strictSame(await taken(victim), [run]);
      await bury(database, victim, watcher);
    }
    await database.query("UPDATE pullcord.queue SET due = 0 WHERE phase = 'paused'");
    const other = await node('other');
    t.match(await other.store.take(other.life, other.want), { runs: [], unknown: [lane] });
    await other.store.serve('other', [rule]);
    t.strictSame(await taken(other), [run]);
  });
});
