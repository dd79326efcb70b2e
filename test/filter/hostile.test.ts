import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { compileFilter, EvaluationError, type FilterExpression, toPlain } from '../../src/filter/index.ts';
import { hostileFilters } from '../support/hostile-filters.ts';

t.test('a compiled expression stays within its limits for hostile inputs', async (t) => {
  for (const { expression, input, ending } of hostileFilters) {
    const filter = compileFilter(expression);
    t.equal(filter.mode, 'compiled', expression);
    // By deep equality of thousands of items, tap takes longer than all the rest.
    t.ok(isDeepStrictEqual(endingOf(filter, input), ending), expression);
  }
});

function endingOf(filter: FilterExpression, input: unknown): unknown {
  try {
    return { value: toPlain(filter.evaluate(input)) };
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return error.code;
  }
}

t.test('ordinary expressions on ordinary inputs', async (t) => {
  const html = '<b>hello</b> world\n'.repeat(1000);
  const lines = 'request took 12ms for ada@example.org at https://example.org/a\n'.repeat(300);
  const items = Array.from({ length: 2000 }, (_, id) => ({ id, name: `name ${id}`, price: id % 97 }));
  const ids = items.map(({ id }) => id);
  const ordinary: readonly [expression: string, input: unknown][] = [
    ['$count($match(s, /<[^>]+>/))', { s: html }],
    ['$replace(s, /<[^>]+>/, "_")', { s: html }],
    ['$count($split(s, /\\s*,\\s*/))', { s: 'abcdefg , '.repeat(2000) }],
    ['$count($match(s, /took (\\d+)ms/))', { s: lines }],
    ['$count($match(s, /[\\w.+-]+@[\\w-]+\\.[\\w.-]+/))', { s: lines }],
    ['$count($match(s, /https?:\\/\\/([\\w-]+\\.)+[a-z]+/))', { s: lines }],
    ['$count($match(s, /\\b(\\w+)\\b/))', { s: 'lorem ipsum '.repeat(800) }],
    ['$count(items[id in $$.ids])', { items, ids }],
    ['$reduce(items, function($all, $item){ $append($all, $item.id) }, [])', { items }],
    ['$reduce(items.name, function($all, $name){ $all & "," & $name })', { items }],
    ['$count($distinct(items.price)) > 3 and $sum(items.price) > 10', { items }],
    ['$count(items^(>price).name)', { items }],
  ];
  for (const [expression, input] of ordinary) {
    await t.test(`an ordinary expression is evaluated within its limits: ${expression}`, async (t) => {
      const filter = compileFilter(expression);
      t.equal(filter.mode, 'compiled');
      t.doesNotThrow(() => filter.evaluate(input));
    });
  }
});

t.test('a crash of the reference implementation', async (t) => {
  const crashing: readonly [expression: string, input: unknown][] = [
    ['$formatNumber(n, missing)', { n: 1 }],
    ['$parseInteger("12", missing)', {}],
    ['($r := /a/; $r($))', { toString: 1, valueOf: 1 }],
    ['$replace("abc", function($s){ {"start": 0} }, "x")', {}],
  ];
  for (const [expression, input] of crashing) {
    await t.test(`a crash of the reference implementation is an EvaluationError: ${expression}`, async (t) => {
      t.throws(() => compileFilter(expression).evaluate(input), EvaluationError);
    });
  }
});

t.test('a body nested too deeply for a worker fails and blocks no worker', async (t) => {
  const filter = compileFilter('($f := function($n){ $n = 0 ? "done" : $f($n - 1) }; $f(3))');
  t.teardown(() => filter.close());
  // Some levels are too many for the worker alone, some for the channel to it.
  for (const levels of [10_000, 20_000, 20_000, 20_000, 20_000, 20_000]) {
    const input: unknown = JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    await t.rejects(async () => filter.evaluate(input), { code: 'D1011' }, `${levels} levels`);
  }
  t.equal(await filter.evaluate({}), 'done');
});

t.test('a function as argument behaves as in the reference implementation', async (t) => {
  t.equal(compileFilter('n.(function($f){ $f() })($string)').evaluate({ n: 5 }), 'null');
  t.equal(compileFilter('(function($f){ $f = $sum })($sum)').evaluate({}), false);
  t.equal(compileFilter('($p := $uppercase ~> $substringBefore; $p("x"))').evaluate('str'), 'str');
  t.same(compileFilter('$distinct([{"a": [1]}, {"a": {"0": 1, "length": 1}}])').evaluate({}), [{ a: [1] }]);
  const binding = compileFilter('[$x := 5, $x]');
  t.teardown(() => binding.close());
  t.same(await binding.evaluate({}), [5]);
});
