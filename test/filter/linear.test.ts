import fc from 'fast-check';
import t from 'tap';
import { linearCostOf } from '../../src/filter/linear.ts';

t.test('knows regular expressions that a backtracking engine matches in linear time', async (t) => {
  const linear = [
    ...[/abc/, /order [0-9]+/, /^[a-z.]+@example\.org$/, /refund|return/i, /^\s*$/, /[0-9]+/, /^.*refund.?$/],
    ...[/"[^"]*"/, /^(a|b)[0-9]{1,2}c/, /^[a-z]+[0-9]+x/, /\bvip\b/, /^(?:https?):\/\/[^/]+\//, /(\d)(\d)/, /^$/],
  ];
  for (const regexp of linear) t.ok(linearCostOf(regexp) !== undefined, String(regexp));
});

t.test('does not trust what may take longer', async (t) => {
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
  for (const regexp of others) t.notOk(linearCostOf(regexp) !== undefined, String(regexp));
});

const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '\\d', '\\w', 'A', '(a)', '(?:a|b)', '(ab|b)');
const piece = fc
  .tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{0,3}', '*?', '+?'))
  .map((parts) => parts.join(''));
const pattern = fc
  .tuple(fc.constantFrom('', '^'), fc.array(piece, { minLength: 1, maxLength: 5 }), fc.constantFrom('', '$', 'x'))
  .map(([start, pieces, end]) => start + pieces.join('') + end);

t.test('what it trusts takes no longer than a few times the text', async (t) => {
  const units = ['a', 'b', 'ab', '1', 'aA', 'a1b'];
  let trusted = 0;
  fc.assert(
    fc.property(pattern, fc.constantFrom('', 'i'), (source, flags) => {
      const regexp = new RegExp(source, flags);
      fc.pre(linearCostOf(regexp) !== undefined);
      trusted += 1;
      for (const unit of units) {
        const text = `${unit.repeat(30_000)}!`;
        const startedAt = performance.now();
        regexp.test(text);
        // Quadratic time is seconds for so long a text, linear time a few milliseconds.
        if (performance.now() - startedAt > 500) throw new Error(`${regexp} took long on ${unit}…`);
      }
    }),
    { numRuns: 150, maxSkipsPerRun: 100 },
  );
  t.ok(trusted >= 150);
});
