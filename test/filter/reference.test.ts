import jsonata from 'jsonata';
import t, { type Test } from 'tap';
import { compileFilter } from '../../src/filter/index.ts';

const input = { a: [1, 2], s: 'x1y2', o: { k: 1, l: 2 } };

async function ending(evaluate: () => unknown): Promise<unknown> {
  try {
    return JSON.parse(JSON.stringify({ value: (await evaluate()) ?? null }));
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error ? error.code : String(error);
  }
}

async function endsAsInReference(t: Test, expression: string): Promise<void> {
  const filter = compileFilter(expression);
  t.equal(filter.mode, 'compiled', expression);
  const expected = await ending(() => jsonata(expression).evaluate(input));
  t.strictSame(await ending(() => filter.evaluate(input)), expected, expression);
}

t.test('tail calls of built-ins in blocks and conditions return sequences as in the reference', async (t) => {
  const tails = [
    ...['$keys({"k": 1})', '$keys($$.o)', '$keys({})', '$match("x", /x/)', '$match("x", /y/)', '$match($$.s, /[0-9]/)'],
    ...['$spread({"k": 1})', '$filter([$v], function($w){ $w = 1 })', '$map([$v], function($w){ $w })', '$sort([$v])'],
    ...['$distinct([$v])', '$append($v, [])', '$split("a", "b")', '$lookup([{"k": $v}], "k")'],
    ...['$string($v)', '$count([$v])', '$reverse([$v])', '$zip([$v])', '$shuffle([$v])', '$merge([{"k": $v}])'],
  ];
  for (const tail of tails) {
    for (const body of [
      tail,
      `( $x := 1; ${tail} )`,
      `$v = 1 ? ${tail} : 0`,
      `$v = 1 ? 0 : ${tail}`,
      `( $x := 1; $v = 1 ? ( $y := 2; ${tail} ) : ${tail} )`,
      `( ( ${tail} ) )`,
      `( $x := 1; ${tail} )[0]`,
      `( $f := function(){ ( 1; ${tail} ) }; $f() )`,
      `{"k": 1} ~> $keys`,
    ]) {
      await endsAsInReference(t, `$map([1, 2], function($v){ ${body} })`);
      await endsAsInReference(t, `$count($map([1], function($v){ ${body} }))`);
      await endsAsInReference(t, `(function($v){ ${body} })(1)`);
    }
  }
});

t.test('an infinite number with a bad picture fails by the picture, as in the reference', async (t) => {
  const bad = [
    '$formatInteger(-1/0, "")',
    '$formatNumber(1/0, "x")',
    '$fromMillis(1/0, "[")',
    '$formatInteger(1/0, "")',
  ];
  for (const expression of bad) await endsAsInReference(t, expression);
  for (const expression of [
    '$formatBase(1/0)',
    '$formatBase(1/0, 99)',
    '$string(1/0)',
    '$round(1/0)',
    '$power(10, 400)',
  ])
    await endsAsInReference(t, expression);
  await endsAsInReference(t, '$formatInteger(0/0, "0")');
  await endsAsInReference(t, '$split("abc", "", 1/0)');
});

t.test('an infinite number with a good picture is refused: the reference may never end on it', (t) => {
  for (const expression of ['$formatNumber(1/0, "0")', '$formatInteger(1/0, "A")', '$fromMillis(1/0)']) {
    t.throws(() => compileFilter(expression).evaluate({}), { name: 'EvaluationError', code: 'D1001' }, expression);
  }
  t.end();
});

t.test('a matcher that returns neither a match nor nothing is a hit for $contains, as in the reference', async (t) => {
  for (const matcher of [
    '$not',
    'function($s){ false }',
    'function($s){ null }',
    'function($s){ 0 }',
    'function($s){ "" }',
  ]) {
    await endsAsInReference(t, `$contains("a", ${matcher})`);
  }
  await endsAsInReference(t, '$contains("a", function($s){ () })');
  await endsAsInReference(t, '$contains("a", function($s){ true })');
});

t.test('where the reference falls over such a result, it is an error', async (t) => {
  for (const call of ['$match("a", $not)', '$split("a", $not)', '$replace("a", $not, "b")']) {
    const filter = compileFilter(call);
    t.equal(await ending(() => filter.evaluate(input)), 'T1010', call);
    t.match(await ending(() => jsonata(call).evaluate(input)), /TypeError/, call);
  }
});
