import t from 'tap';
import { valuesTest } from './limit-values/values-test.ts';

// `npm run values-test` has a million.
t.test('counters of values of `per` keep within their memory and their bound', async (t) => {
  const { rows } = await valuesTest({ values: 50_000, bound: 40_000 });
  for (const { unit, counters, shared, isFine, megabytes } of rows) {
    t.equal(counters, 40_001, unit);
    t.equal(shared, unit === 'tokens' ? 20_000 : 10_000, unit);
    t.ok(isFine, `${unit}: ${megabytes} MB`);
  }
});
