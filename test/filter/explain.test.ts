import t, { type Test } from 'tap';
import { compileFilter } from '../../src/filter/index.ts';
import { patience } from '../support/patience.ts';

t.test('explain returns the value of each top-level conjunct and of its operands', async (t) => {
  const filter = compileFilter('customer.plan in ["pro", "enterprise"] and amount > 100 and $exists(email)');
  const explained = await filter.explain({ customer: { plan: 'pro' }, amount: 20 });
  t.match(explained, {
    passes: false,
    value: false,
    conjuncts: [
      {
        source: 'customer.plan in ["pro", "enterprise"]',
        passes: true,
        operator: 'in',
        sides: [{ source: 'customer.plan', value: 'pro' }, { value: ['pro', 'enterprise'] }],
      },
      { source: 'amount > 100', passes: false, operator: '>', sides: [{ value: 20 }, { value: 100 }] },
      // What the evaluation never came to.
      { source: '$exists(email)', passes: false, value: false },
    ],
  });
  t.equal(explained.conjuncts[2]?.sides, undefined);
});

t.test('explain returns an expression without `and` as its only conjunct', async (t) => {
  const explained = await compileFilter('amount').explain({ amount: 3 });
  t.match(explained, { passes: true, value: 3, conjuncts: [{ source: 'amount', value: 3, passes: true }] });
});

t.test('explain reports an error by its code at the part that failed', async (t) => {
  const explained = await compileFilter('plan = "pro" and amount > "x"').explain({ plan: 'pro', amount: 1 });
  t.match(explained, {
    passes: false,
    error: 'T2009',
    conjuncts: [{ passes: true }, { passes: false, error: 'T2009', sides: [{ value: 1 }, { value: 'x' }] }],
  });
});

t.test('explain splits conjuncts inside parentheses and in the last statement of a block', async (t) => {
  const nested = await compileFilter('(a = 1 and (b = 2)) and c = ")and("').explain({ a: 1, b: 3, c: ')and(' });
  t.same(
    nested.conjuncts.map(({ source, passes }) => [source, passes]),
    [
      ['a = 1', true],
      ['b = 2', false],
      ['c = ")and("', true],
    ],
  );
  const block = await compileFilter('($total := $sum(items.price); $total > 10 and $total < 20)').explain({
    items: [{ price: 7 }, { price: 8 }],
  });
  t.match(block.conjuncts, [
    { source: '$total > 10', passes: true, sides: [{ source: '$total', value: 15 }, { value: 10 }] },
    { source: '$total < 20', passes: true },
  ]);
});

t.test('explain evaluates all parts with the same clock, seed and bindings', async (t) => {
  const filter = compileFilter('$millis() = 1000 and $key.id = "web" and $random() = $random()');
  const { conjuncts } = await filter.explain({}, { key: { id: 'web' } }, { now: 1000, seed: 1 });
  t.same(
    conjuncts.map(({ passes }) => passes),
    [true, true, false],
  );
});

t.test('explain splits correctly around strings, comments and regular expressions', async (t) => {
  const { conjuncts } = await compileFilter(
    '/* a and */ a = " and " and (($contains(a, /[/] (and) \\/x/) or b) and /* ( */ c /* ) */ in [1, "]"])',
  ).explain({ a: ' and ', c: 1 });
  t.match(conjuncts, [
    { source: 'a = " and "', passes: true, sides: [{ source: 'a' }, { source: '" and "', value: ' and ' }] },
    { source: '$contains(a, /[/] (and) \\/x/) or b', passes: false, sides: undefined },
    { source: 'c /* ) */ in [1, "]"]', passes: true, sides: [{ source: 'c' }, { source: '[1, "]"]' }] },
  ]);
});

t.test('explain returns values as plain JSON, without functions and undefined', async (t) => {
  const explained = await compileFilter(
    '$map([$sum, a], function($x){ $x }) and {"f": $sum, "n": [b, 1]} and $sum and b',
  ).explain({
    a: { c: [1] },
  });
  t.same(
    explained.conjuncts.map((conjunct) => ('value' in conjunct ? conjunct.value : 'none')),
    [[{ c: [1] }], { n: [1] }, 'none', 'none'],
  );
  const { value } = await compileFilter('items.a').explain({ items: [{ a: 1 }, { a: 2 }] });
  t.same(Object.keys(value ?? {}), ['0', '1'], 'the value has no JSONata markers');
});

t.test('explain works for an isolated expression', async (t) => {
  holdClock(t);
  const limits = { timeoutMs: patience(30_000) };
  const filter = compileFilter('a = 1 and ($f := function($n){ $n = 0 ? true : $f($n - 1) }; $f(b))', { limits });
  t.teardown(() => filter.close());
  t.match(await filter.explain({ a: 1, b: 3 }), { passes: true, conjuncts: [{ passes: true }, { passes: true }] });
});

t.test('explain reports a hanging part by the code of its limit', async (t) => {
  holdClock(t);
  const loop = '($f := function($n){ $f($n + 1) }; $f(0)) = 1';
  const filter = compileFilter(`${loop} and ${loop}`);
  t.teardown(() => filter.close());
  const hung = { error: 'D1012' };
  t.match(await filter.explain({}), { ...hung, conjuncts: [{ ...hung, operator: '=', sides: [hung] }, hung] });
});

t.test('explain evaluates parts for two seconds and marks the rest as not evaluated', async (t) => {
  const clock = holdClock(t);
  const filter = compileFilter(Array.from({ length: 40 }, () => 'a = 0').join(' and '));
  const input = {
    get a() {
      clock.ms += 250;
      return 1;
    },
  };
  const { error, conjuncts } = await filter.explain(input);
  t.equal(error, undefined);
  t.equal(conjuncts.length, 40);
  t.match(conjuncts[0], { value: false, sides: [{ value: 1 }, { value: 0 }] });
  const left = { error: 'no time left to evaluate it' };
  t.match(conjuncts.at(-1), { ...left, passes: false, operator: '=', sides: [left, left] });
  const evaluated = conjuncts
    .flatMap(({ sides = [], ...conjunct }) => [conjunct, ...sides])
    .filter((part) => 'value' in part);
  // Three parts of each conjunct, of which two read `a`; the whole reads it once.
  t.equal(evaluated.length, 11);
  t.equal(clock.ms, 9 * 250);
});

/** Stands in for the clock of this process, which stands still unless it is moved. */
function holdClock(t: Test): { ms: number } {
  const clock = { ms: 0 };
  const { now } = performance;
  performance.now = () => clock.ms;
  t.teardown(() => {
    performance.now = now;
  });
  return clock;
}

t.test('explain returns the first 100 conjuncts', async (t) => {
  const filter = compileFilter(Array.from({ length: 150 }, (_, index) => `a != ${index}`).join(' and '));
  t.equal((await filter.explain({ a: -1 })).conjuncts.length, 100);
});

t.test('explain shows the arguments of functions, and operands at any depth', async (t) => {
  const contains = await compileFilter('$contains($lowercase(subject), "refund")').explain({ subject: 'My Order' });
  t.strictSame(contains.conjuncts, [
    {
      source: '$contains($lowercase(subject), "refund")',
      passes: false,
      value: false,
      parts: [{ source: '$lowercase(subject)', value: 'my order', parts: [{ source: 'subject', value: 'My Order' }] }],
    },
  ]);
  const or = await compileFilter('(a and b > 1) or c').explain({ a: 1, b: 0 });
  t.strictSame(or.conjuncts[0]?.parts, [
    {
      source: 'a and b > 1',
      value: false,
      parts: [
        { source: 'a', value: 1 },
        { source: 'b > 1', value: false, parts: [{ source: 'b', value: 0 }] },
      ],
    },
    { source: 'c' },
  ]);
  for (const [source, parts] of [
    ['$not(x)', [{ source: 'x', value: 2 }]],
    ['x ~> $string() ~> $contains(y)', [{ source: 'x ~> $string()' }, { source: 'y', value: '2' }]],
    ['x > 1 ? y : z', [{ source: 'x > 1', value: true }, { source: 'y' }, { source: 'z' }]],
    ['x ?: y', [{ source: 'x', value: 2 }, { source: 'y' }]],
    ['-x', [{ source: 'x', value: 2 }]],
    ['x & y', [{ source: 'x' }, { source: 'y' }]],
    ['$map([x], function($v){ $v })', [{ source: '[x]', value: [2] }]],
    ['$exists(missing)', undefined],
    ['items[x = 2]', undefined],
  ] as const) {
    const { conjuncts } = await compileFilter(source).explain({ x: 2, y: '2', items: [] });
    t.match(conjuncts[0]?.parts, parts, source);
  }
});

t.test('explain reports what an error means and where in the whole expression it was', async (t) => {
  const source = '($limit := 10; plan = "pro" and (amount > $limit or other > 1))';
  const { conjuncts } = await compileFilter(source).explain({ plan: 'pro', amount: 'x', other: 2 });
  const errorMessage = /^the two sides of a comparison have different types/;
  t.match(conjuncts[1], {
    error: 'T2009',
    errorMessage,
    errorOffset: source.indexOf('>'),
    parts: [{ error: 'T2009', errorMessage, errorOffset: source.indexOf('>') }, { value: true }],
  });
  const first = await compileFilter('$number(a) > 1').explain({ a: 'x' });
  t.match(first.conjuncts[0], { error: 'D3030', errorMessage: 'the value cannot be converted to a number' });
  t.match(first.conjuncts[0]?.sides?.[0], { error: 'D3030', parts: [{ source: 'a', value: 'x' }] });
});

t.test('explain shows NaN and infinite numbers as such', async (t) => {
  const { conjuncts } = await compileFilter('a / b > 1 and [a / b, 1 / b] = c').explain({ a: 0, b: 0 });
  t.match(conjuncts, [
    { passes: false, sides: [{ value: Number.NaN }, { value: 1 }] },
    { sides: [{ value: [Number.NaN, Infinity] }, {}] },
  ]);
  const alone = await compileFilter('a / b').explain({ a: 1, b: 0 });
  t.match(alone.conjuncts, [{ passes: false, value: Infinity, error: 'D1001' }]);
});

t.test('explain bounds the parts of an expression in number, depth and size', async (t) => {
  const many = await compileFilter(`(${Array.from({ length: 500 }, (_, at) => `a${at}`).join(' or ')})`).explain({});
  t.equal(many.conjuncts[0]?.parts?.length, 300);
  const deep = await compileFilter(`${'$not('.repeat(50)}a${')'.repeat(50)}`).explain({ a: 1 });
  let depth = 0;
  for (let part = deep.conjuncts[0]?.parts?.[0]; part !== undefined; part = part.parts?.[0]) depth += 1;
  t.equal(depth, 8);
  const large = await compileFilter('$contains($lowercase(text), "a")').explain({ text: 'b'.repeat(500_000) });
  t.match(large.conjuncts[0]?.parts, [{ error: 'its value is too large to show', value: undefined }]);
});
