import t from 'tap';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { selectedCases } from '../../support/selected-cases.ts';
import { openTwo, testDatabase } from './database.ts';

t.test('postgres engine, two nodes: submit at one, the rest at the other', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  for (const { name, run } of selectedCases()) await t.test(name, () => run(() => openTwo(database)));
});
