import t from 'tap';
import { compareWithReference } from './conformance/differential.ts';

t.test('2,000 random expressions on random bodies evaluate as in the reference implementation', async (t) => {
  // Always the same ones here: `npm run conformance` draws new ones each time.
  const { compiled } = await compareWithReference(2000, 20261125);
  t.ok(compiled >= 2000);
});
