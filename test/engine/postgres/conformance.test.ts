import t from 'tap';
import { conformanceCases as all } from '../../../src/engine/conformance.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { openOne, openTwo, testDatabase } from './database.ts';

const { ONLY } = process.env;
const conformanceCases = ONLY === undefined ? all : all.filter(({ name }) => new RegExp(ONLY).test(name));

t.test('postgres engine, one node', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  for (const { name, run } of conformanceCases) await t.test(name, () => run(() => openOne(database)));
});

t.test('postgres engine, two nodes: submit at one, the rest at the other', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  for (const { name, run } of conformanceCases) await t.test(name, () => run(() => openTwo(database)));
});
