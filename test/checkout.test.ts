import t from 'tap';
import { checkoutTest } from './checkout/checkout-test.ts';

// Each checkout waits for a reload: `npm run checkout-test` has two hundred of them, of 601 files.
t.test('commits that are checked out in turn under load are served whole, and so are pairs of files', async (t) => {
  const { faults, ...seen } = await checkoutTest({ checkouts: 6, triggers: 60, pairs: 2, edits: 1 });
  for (const [name, count] of Object.entries(faults)) t.equal(count, 0, name);
  t.ok(seen.reloads >= 4 && seen.named > 0 && seen.requests > 0, JSON.stringify(seen));
});
