import t, { type Test } from 'tap';
import type { SharedStore, SubmitOperation, Want } from '../../../src/engine/cluster/shared-store.ts';
import { newClaim, newRun } from '../../../src/engine/conformance/harness.ts';
import { Connections } from '../../../src/engine/postgres/connections.ts';
import { Link } from '../../../src/engine/postgres/link.ts';
import { openStore } from '../../../src/engine/postgres/open-store.ts';
import { PostgresStore } from '../../../src/engine/postgres/postgres-store.ts';
import type { Claim, Life, NewRun } from '../../../src/engine/types/index.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { defaults, type TestDatabase, testDatabase } from './database.ts';

const clock = { now: Date.now, advance() {} };
const info = {
  ...{ name: 'test', version: '0', revision: 'r', commit: undefined, isDirty: false, keyDigest: '', running: 0 },
};
const everything: Want = {
  ...{ revision: 'r', runs: 100, suspect: true, turn: { lane: '', values: {} }, caps: new Map(), unserved: false },
};
const timeouts = { queryTimeoutMs: 5000, applicationName: 'test' };

/** Loses the answer of the next step of a name, after what happens meanwhile. */
class LosingConnections extends Connections {
  lose: { readonly name: string; readonly meanwhile: () => Promise<unknown> } | undefined;

  override async raw<Row>(query: Parameters<Connections['raw']>[0]): Promise<readonly Row[]> {
    const rows = await super.raw<Row>(query);
    const { lose } = this;
    if (lose === undefined || lose.name !== query.name) return rows;
    this.lose = undefined;
    await lose.meanwhile();
    throw new Error('Connection terminated unexpectedly');
  }
}

interface Node {
  readonly store: SharedStore;
  readonly life: Life;
  readonly connections: LosingConnections;
}

async function losingNode(t: Test, database: TestDatabase): Promise<Node> {
  const { url } = database;
  await database.empty();
  const { schema, maxQueued, maxInterruptions, retention } = defaults;
  await (await openStore({ ...defaults, url }, (path) => path)).store.close();
  const connections = new LosingConnections({ url, pool: 4, ...timeouts });
  const options = { schema, maxQueued, maxInterruptions, retention, retryMs: 5000 };
  const store = new PostgresStore(connections, new Link(connections, schema, 5000), options, 'salt');
  t.teardown(() => store.close());
  await store.serve('r', [
    { project: 'support', trigger: 'refund-request', isServed: true, limit: undefined, isPerValue: false },
  ]);
  return { store, connections, life: await store.register(info, 60_000) };
}

function operation(changes: Partial<NewRun> = {}, claim?: Claim): SubmitOperation {
  return { run: newRun({ clock }, changes), isMasked: false, value: undefined, claim, limits: [] };
}

t.test('a step whose answer was lost', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);

  await t.test('does not claim again what its run has released since', async (t) => {
    const { store, life, connections } = await losingNode(t, database);
    const first = operation({}, newClaim());
    const meanwhile = () => store.cancel(first.run.id);
    connections.lose = { name: 'step', meanwhile };
    t.match(await store.submit(life, first), { kind: 'accepted' });
    t.match(await store.submit(life, operation({}, newClaim())), { kind: 'accepted' });
  });

  await t.test('has joined a burst once, and does not begin another one', async (t) => {
    const { store, life, connections } = await losingNode(t, database);
    const debounce = { key: 'burst', waitMs: 0, maxMs: 0 };
    const first = operation({ debounce: { ...debounce, waitMs: 60_000, maxMs: 60_000 } });
    t.match(await store.submit(life, first), { kind: 'accepted', burst: { runId: first.run.id } });
    const joining = operation({ debounce }, newClaim({ fingerprint: 'joining' }));
    connections.lose = {
      name: 'step',
      meanwhile: () => database.query('UPDATE pullcord.queue SET burst = NULL'),
    };
    t.match(await store.submit(life, joining), { kind: 'accepted', burst: { runId: first.run.id } });
    t.equal(await store.get(joining.run.id), undefined);
  });

  await t.test('has cancelled a run, and says so', async (t) => {
    const { store, life, connections } = await losingNode(t, database);
    const { run } = operation();
    await store.submit(life, { ...operation(), run });
    t.match(await store.take(life, everything), { runs: [{ record: { id: run.id } }] });
    connections.lose = { name: 'cancel', meanwhile: async () => {} };
    t.strictSame(await store.cancel(run.id), { kind: 'cancelled', owner: life });
    t.match(await store.cancel(run.id), { kind: 'already_final', state: 'cancelled' });
  });
});

t.test('a node that is buried accepts nothing that only it could execute', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const { store, life } = await losingNode(t, database);
  await store.leave(life);
  const masked = { ...operation({}, newClaim()), isMasked: true };
  const burst = { ...operation({ debounce: { key: 'burst', waitMs: 1000, maxMs: 1000 } }), isMasked: true };
  t.match(await Promise.all([masked, operation(), burst].map((one) => store.submit(life, one))), [
    { kind: 'unavailable' },
    { kind: 'accepted' },
    { kind: 'unavailable' },
  ]);
  t.match(await store.submit(await store.register(info, 60_000), { ...masked, run: newRun({ clock }) }), {
    kind: 'accepted',
  });
});

t.test('a run that ends while it is looked up is final with its result', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const { store, life, connections } = await losingNode(t, database);
  const one = operation({ policy: { keep: 'none', mask: [], sessionTtlMs: 0, notify: false } });
  await store.submit(life, one);
  // A lookup by several statements sees the run before its end with one, and after it with another.
  const { query } = connections;
  let statements = 0;
  connections.query = async (...given) => {
    statements += 1;
    if (statements > 1) await store.cancel(one.run.id);
    return query.apply(connections, given) as never;
  };
  t.equal((await store.finals([one.run.id])).size, 0);
  connections.query = query;
  await store.cancel(one.run.id);
  t.match((await store.finals([one.run.id, 'unknown'])).get(one.run.id), { state: 'cancelled' });
  t.strictSame([...(await store.finals(['unknown']))], [['unknown', undefined]]);
});
