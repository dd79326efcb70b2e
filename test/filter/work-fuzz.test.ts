import t from 'tap';
import { fuzzFilterWork } from '../fuzz/filter-work.ts';

t.test('random expressions on hostile bodies do no more than they pay for', async (t) => {
  const [worst] = await fuzzFilterWork({ seed: 20_261_125, steps: 1000, log: () => {} });
  t.ok(worst !== undefined && worst.work < 9, JSON.stringify(worst));
});
