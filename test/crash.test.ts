import t from 'tap';
import { crashTest } from './crash/crash-test.ts';

t.test('a gateway killed repeatedly loses no accepted run, and executes none twice', async (t) => {
  const { faults, ...seen } = await crashTest({ kills: 5 });
  for (const [name, count] of Object.entries(faults)) t.equal(count, 0, name);
  t.ok(seen.succeeded > 0 && seen.accepted > 0 && seen.duplicates > 0, JSON.stringify(seen));
});
