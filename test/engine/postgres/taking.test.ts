import pg from 'pg';
import t, { type Test } from 'tap';
import type { SharedStore, Taking, Want } from '../../../src/engine/cluster/shared-store.ts';
import { newClaim, newRun } from '../../../src/engine/conformance/harness.ts';
import { openStore } from '../../../src/engine/postgres/open-store.ts';
import type { Life, NewRun } from '../../../src/engine/types/index.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { defaults, type TestDatabase, testDatabase } from './database.ts';

const info = {
  name: 'test',
  version: '0',
  revision: 'r',
  commit: undefined,
  isDirty: false,
  keyDigest: '',
  running: 0,
};

const everything: Want = {
  revision: 'r',
  runs: 100,
  suspect: true,
  turn: { lane: '', values: {} },
  caps: new Map(),
  unserved: false,
};

interface Node {
  readonly store: SharedStore;
  readonly life: Life;
}

/** Nodes without engines: what they take is in the hands of the test. */
async function nodes(t: Test, database: TestDatabase, count: number): Promise<readonly Node[]> {
  await database.empty();
  return Promise.all(
    Array.from({ length: count }, async () => {
      const { store } = await openStore({ ...defaults, url: database.url }, (path) => path);
      t.teardown(() => store.close());
      return { store, life: await store.register(info, 60_000) };
    }),
  );
}

const clock = { now: Date.now, advance() {} };

function submit({ store, life }: Node, changes: Partial<NewRun> = {}, claim = false) {
  const run = newRun({ clock }, changes);
  const operation = { run, isMasked: false, value: run.concurrencyValue, limits: [] };
  return store.submit(life, { ...operation, claim: claim ? newClaim() : undefined });
}

async function end({ store, life }: Node, { runs }: Taking): Promise<void> {
  await Promise.all(
    runs.map(({ record: { id, attempt } }) => {
      const nothing = { output: undefined, failure: undefined, failureDetail: undefined, memory: undefined };
      const result = { state: 'succeeded' as const, usage: undefined, cost: undefined, ...nothing };
      return store.write(life, { kind: 'end', end: { runId: id, attempt, ...result } });
    }),
  );
}

const rule = { project: 'support', trigger: 'refund-request', isServed: true };

t.test('with PostgreSQL', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  const sql = new pg.Client(database.url);
  await sql.connect();
  t.teardown(() => sql.end());

  for (const [name, settings] of [
    ['as it plans by itself', {}],
    ['with nested loops', { enable_hashjoin: 'off', enable_mergejoin: 'off', enable_seqscan: 'off' }],
    ['without nested loops', { enable_nestloop: 'off' }],
    ['without indexes', { enable_indexscan: 'off', enable_bitmapscan: 'off', enable_indexonlyscan: 'off' }],
  ] as const) {
    for (const isPerValue of [false, true]) {
      await t.test(
        `a limit of 3 holds for 300 runs on three nodes, ${name}${isPerValue ? ', per value' : ''}`,
        async (t) => {
          for (const [setting, value] of Object.entries(settings)) {
            await sql.query(`ALTER ROLE CURRENT_USER SET ${setting} = ${value}`);
          }
          t.teardown(() => sql.query('ALTER ROLE CURRENT_USER RESET ALL'));
          const all = await nodes(t, database, 3);
          const [first] = all;
          if (first === undefined) throw new Error('three nodes');
          await first.store.serve('r', [{ ...rule, limit: 3, isPerValue }]);
          const values = isPerValue ? ['a', 'b', ''] : [undefined];
          await Promise.all(
            Array.from({ length: 300 }, (_, index) =>
              submit(all[index % 3] ?? first, { concurrencyValue: values[index % values.length] }),
            ),
          );
          if (name === 'as it plans by itself') await sql.query('ANALYZE pullcord.queue');
          let most = 0;
          let ended = 0;
          await Promise.all(
            all.map(async (node) => {
              while (ended < 300) {
                const taking = await node.store.take(node.life, everything);
                if (taking.runs.length === 0) continue;
                const { rows } = await sql.query(
                  `SELECT max(n) AS most FROM (SELECT count(*)::int AS n FROM pullcord.queue WHERE phase = 'running' GROUP BY value) AS q`,
                );
                most = Math.max(most, rows[0].most ?? 0);
                await end(node, taking);
                ended += taking.runs.length;
              }
            }),
          );
          t.equal(ended, 300, 'each run is executed once');
          t.ok(most <= 3, `${most} at once`);
          t.ok(most > 0);
        },
      );
    }
  }

  await t.test('a value that has room is found behind 400 that have none', async (t) => {
    const [node] = await nodes(t, database, 1);
    if (node === undefined) throw new Error('one node');
    await node.store.serve('r', [{ ...rule, limit: 1, isPerValue: true }]);
    const full = Array.from({ length: 400 }, (_, index) => `value ${1000 + index}`);
    await Promise.all([...full, ...full].map((concurrencyValue) => submit(node, { concurrencyValue })));
    let { turn } = everything;
    const take = async () => {
      const taking = await node.store.take(node.life, { ...everything, runs: 1000, turn });
      turn = taking.turn;
      return taking.runs.map(({ record }) => record.concurrencyValue);
    };
    const started = [...(await take()), ...(await take()), ...(await take())];
    t.equal(new Set(started).size, 400);
    t.equal(started.length, 400);
    await Promise.all([submit(node, { concurrencyValue: 'value z' }), submit(node)]);
    t.strictSame(new Set([...(await take()), ...(await take()), ...(await take())]), new Set(['value z', undefined]));
  });

  await t.test('of 1,000 equal bodies from two nodes one is accepted, and all others name it', async (t) => {
    for (let round = 0; round < 8; round += 1) {
      const all = await nodes(t, database, 2);
      const answers = await Promise.all(
        Array.from({ length: 1000 }, (_, index) => submit(all[index % 2] ?? never(), {}, true)),
      );
      const { rows } = await sql.query('SELECT id FROM pullcord.runs');
      t.equal(rows.length, 1);
      t.equal(answers.filter(({ kind }) => kind === 'accepted').length, 1);
      t.ok(answers.every((answer) => answer.kind !== 'duplicate' || answer.runId === rows[0].id));
      t.equal(answers.filter(({ kind }) => kind === 'duplicate').length, 999);
    }
  });

  await t.test('runs of a session are taken one at a time and in order, by whichever node', async (t) => {
    const all = await nodes(t, database, 3);
    const [first] = all;
    await first?.store.serve('r', [{ ...rule, limit: undefined, isPerValue: false }]);
    const order: string[] = [];
    for (let index = 0; index < 60; index += 1) {
      await submit(all[index % 3] ?? never(), { conversation: `session ${index % 4}`, requestId: `${index}` });
    }
    let ended = 0;
    await Promise.all(
      all.map(async (node) => {
        while (ended < 60) {
          const taking = await node.store.take(node.life, { ...everything, runs: 2 });
          for (const { record } of taking.runs) order.push(record.requestId ?? '');
          await end(node, taking);
          ended += taking.runs.length;
        }
      }),
    );
    for (let session = 0; session < 4; session += 1) {
      const seen = order.filter((id) => Number(id) % 4 === session).map(Number);
      t.strictSame(
        seen,
        [...seen].sort((one, other) => one - other),
        `session ${session} is in order`,
      );
    }
  });

  await t.test('what a node writes after its burial is refused, and another one has its runs', async (t) => {
    const [dead, alive] = await nodes(t, database, 2);
    if (dead === undefined || alive === undefined) throw new Error('two nodes');
    await alive.store.serve('r', [{ ...rule, limit: undefined, isPerValue: false }]);
    await submit(dead);
    const taken = await dead.store.take(dead.life, everything);
    t.equal(taken.runs.length, 1);
    await sql.query("UPDATE pullcord.nodes SET watches_since = watches_since - interval '1 hour'");
    await sql.query("UPDATE pullcord.nodes SET lease_until = clock_timestamp() - interval '1 ms' WHERE life = $1", [
      dead.life,
    ]);
    t.match(await alive.store.beat(alive.life, info, 60_000), { kind: 'alive', hasBuried: true });
    t.match(await dead.store.beat(dead.life, info, 60_000), { kind: 'buried' });
    t.equal((await dead.store.take(dead.life, everything)).runs.length, 0);
    const again = await alive.store.take(alive.life, everything);
    t.match(again.runs, [{ record: { id: taken.runs[0]?.record.id, attempt: 2, interruptions: 1 } }]);
    const { id = '', attempt = 0 } = taken.runs[0]?.record ?? {};
    const late = { kind: 'save', runId: id, attempt, checkpoint: '{}' } as const;
    t.match(await dead.store.write(dead.life, late), { kind: 'lost' });
    t.match(await alive.store.write(alive.life, { ...late, attempt: 2 }), { kind: 'stored' });
  });

  await t.test('a node that finds every lease over, its own included, buries nobody for a whole lease', async (t) => {
    const [first, second] = await nodes(t, database, 2);
    if (first === undefined || second === undefined) throw new Error('two nodes');
    await sql.query(`UPDATE pullcord.nodes SET watches_since = watches_since - interval '1 hour',
      lease_until = clock_timestamp() - interval '1 ms'`);
    await first.store.beat(first.life, info, 60_000);
    t.match(await second.store.beat(second.life, info, 60_000), { kind: 'alive' });
  });
});

function never(): never {
  throw new Error('no such node');
}
