import t from 'tap';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { selectedCases } from '../../support/selected-cases.ts';
import { openOne, testDatabase } from './database.ts';

t.test('postgres engine, one node', { skip: skipWithoutPostgres }, async (t) => {
  const database = await testDatabase(t);
  for (const { name, run } of selectedCases()) await t.test(name, () => run(() => openOne(database)));
});
