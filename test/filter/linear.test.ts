import fc from 'fast-check';
import t from 'tap';
import { linearCostOf } from '../../src/filter/linear.ts';
import { searchCounting } from '../support/comparisons.ts';
import { regularExpressions } from '../support/regular-expressions.ts';

t.test('ReDoS: linear regular expressions', async (t) => {
  const linear = [
    ...[/abc/, /order [0-9]+/, /^[a-z.]+@example\.org$/, /refund|return/i, /^\s*$/, /[0-9]+/, /^.*refund.?$/],
    ...[/"[^"]*"/, /^(a|b)[0-9]{1,2}c/, /^[a-z]+[0-9]+x/, /\bvip\b/, /^(?:https?):\/\/[^/]+\//, /(\d)(\d)/, /^$/],
  ];
  for (const regexp of linear)
    await t.test(`ReDoS: ${regexp} is accepted as linear`, async (t) => {
      t.ok(linearCostOf(regexp) !== undefined);
    });
});

t.test('ReDoS: regular expressions that may take longer', async (t) => {
  const others = [
    ...[/^(a+)+$/, /(a|a)*b/, /[0-9]+-/, /a+$/, /^.*.*x/, /^[a-z]+[a-z0-9]+x/, /(a|b|ab){0,30}c/, /(?:a?){40}a{40}/],
    ...[
      /^\w+\d*x/,
      /a{0,99}a{399}b/,
      /a{500,}/,
      /[\w.]{1,64}@/,
      /x*y/,
      /\s+$/,
      /^(?:.*,){5}P/,
      /a.*b.*c/,
      /"[^"]*" "[^x]*y/,
      /(?=a)b/,
      /(a)\1/,
      /^a*$/m,
    ],
  ];
  for (const regexp of others)
    await t.test(`ReDoS: ${regexp} is not accepted as linear`, async (t) => {
      t.notOk(linearCostOf(regexp) !== undefined);
    });
});

t.test('ReDoS: a regular expression accepted as linear stays within its declared cost per character', async (t) => {
  const units = ['a', 'b', 'ab', '1', 'aA', 'a1b'];
  let trusted = 0;
  fc.assert(
    fc.property(regularExpressions, (regexp) => {
      const cost = linearCostOf(regexp);
      fc.pre(cost !== undefined);
      trusted += 1;
      for (const unit of units) {
        const text = `${unit.repeat(1000)}!`;
        const { matches, comparisons } = searchCounting(regexp, text);
        if (matches !== regexp.test(text)) throw new Error(`${regexp} was not searched for as V8 does, on ${unit}…`);
        if (comparisons > cost.work * (text.length + 1)) {
          throw new Error(`${regexp} took ${comparisons} comparisons on ${unit}…, not ${cost.work} a character`);
        }
      }
    }),
    { numRuns: 150, maxSkipsPerRun: 100 },
  );
  t.ok(trusted >= 150);
});

t.test('ReDoS: a rejected regular expression takes more than linear time', async (t) => {
  for (const regexp of [/[0-9]+-/, /a+$/, /x*y/]) {
    const [short, long] = [500, 1000].map((length) => {
      const unit = regexp.source.startsWith('[0-9]') ? '1' : regexp.source.slice(0, 1);
      return searchCounting(regexp, `${unit.repeat(length)}!`).comparisons;
    });
    t.ok(Number(long) > 3 * Number(short), `${regexp}: ${short}, ${long}`);
  }
});
