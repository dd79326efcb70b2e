import t from 'tap';
import { until } from '../../src/engine/conformance/harness.ts';
import { conformanceCases } from '../../src/engine/conformance.ts';
import type { Engine } from '../../src/engine/types/index.ts';
import { skipWithoutPostgres, startPostgres } from '../support/postgres.ts';
import { facade, heldClock, newSchema, openNode } from './cluster/nodes.ts';

const only = process.env.ONLY;
const cases = only === undefined ? conformanceCases : conformanceCases.filter(({ name }) => name.includes(only));

/** Waits until a node has looked at the time of runs that wait for it. */
function noticedBy(query: (sql: string) => Promise<readonly Record<string, unknown>[]>) {
  return async (engine: Engine, schema: string, clock: { now(): number }): Promise<void> => {
    engine.reconsider();
    await until(async () => {
      const due = await query(`SELECT 1 FROM ${schema}.queue WHERE phase = 'held' AND due <= ${clock.now()}`);
      return due.length === 0 || undefined;
    });
  };
}

t.test('one node', { skip: skipWithoutPostgres }, async (t) => {
  const { url, query } = await startPostgres(t);
  const noticed = noticedBy(query);
  for (const { name, run } of cases) {
    await t.test(name, () =>
      run(async () => {
        const clock = heldClock();
        const schema = newSchema();
        const node = await openNode(url, schema, clock);
        return { ...node, clock, noticed: () => noticed(node.engine, schema, clock) };
      }),
    );
  }
});

t.test('two nodes: submitted at one, the rest at the other', { skip: skipWithoutPostgres }, async (t) => {
  const { url, query } = await startPostgres(t);
  const noticed = noticedBy(query);
  for (const { name, run } of cases) {
    await t.test(name, () =>
      run(async () => {
        const clock = heldClock();
        const schema = newSchema();
        const first = await openNode(url, schema, clock);
        const second = await openNode(url, schema, clock);
        const recordings = second.recordings;
        const engine = facade(first.engine, second.engine);
        return { engine, recordings, clock, noticed: () => noticed(second.engine, schema, clock) };
      }),
    );
  }
});
