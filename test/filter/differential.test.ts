import t from 'tap';
import { compareWithReference } from './conformance/differential.ts';

t.test('2,000 random expressions on random bodies come to what the reference comes to', async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.comment(`seed ${seed}`);
  const { compiled } = await compareWithReference(2000, seed);
  t.ok(compiled >= 2000);
});
