import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { compileFilter, EvaluationError, ExpressionError, type FilterExpression } from '../../src/filter/index.ts';
import { doublingFilters, multiplyingFilters, nestedFilters } from '../support/hostile-filters.ts';

const order = {
  plan: 'pro',
  amount: 12,
  items: [
    { sku: 'a', price: 5, tags: ['x'] },
    { sku: 'b', price: 7, tags: ['x', 'y'] },
  ],
};

function errorOf(evaluate: () => unknown): EvaluationError {
  try {
    evaluate();
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

t.test('gives a value at once where an expression is compiled', async (t) => {
  const filter = compileFilter('items[price > 6].sku');
  t.equal(filter.mode, 'compiled');
  t.equal(filter.reason, undefined);
  t.equal(filter.evaluate(order), 'b');
  t.equal(filter.evaluate({}), undefined);
  t.equal(filter.passes(order), true);
  t.equal(filter.passes({}), false);
  await filter.close();
});

t.test('tells why an expression is not compiled', async (t) => {
  const reasons: [expression: string, reason: RegExp][] = [
    ['($f := function($n){ $n = 0 ? 0 : $f($n - 1) }; $f(3))', /\$f may be a function that calls itself/],
    ['items ~> |$|{"price": 0}|', /transforms/],
    ['items#$i.{"index": $i}', /joins/],
    ['items.%.plan', /joins/],
    ['$map(items.price, $power(?, 2))', /partially/],
    ['$toMillis("1.1.2020", "[D].[M].[Y]")', /\$toMillis/],
    ['$formatNumber(1, "#", {})', /\$formatNumber/],
    ['($f := $toMillis; $f("x"))', /\$toMillis/],
  ];
  for (const [expression, reason] of reasons) {
    const filter = compileFilter(expression);
    t.equal(filter.mode, 'isolated', expression);
    t.match(filter.reason, reason, expression);
    await filter.close();
  }
});

t.test('throws an error with the code, the place and the token that JSONata gives', async (t) => {
  const failures: [expression: string, code: string, position: number, token: string][] = [
    ['amount > "x"', 'T2009', 8, '>'],
    ['plan > true', 'T2010', 6, '>'],
    ['1 + plan', 'T2002', 3, '+'],
    ['$sum(plan)', 'T0412', 5, 'sum'],
    ['$contains(amount, "x")', 'T0410', 10, 'contains'],
    ['-plan', 'D1002', 1, '-'],
    ['nothing()', 'T1006', 8, 'nothing'],
    ['contains("x")', 'T1005', 9, 'contains'],
    ['$number("x")', 'D3030', 8, 'number'],
  ];
  for (const [expression, code, position, token] of failures) {
    const error = errorOf(() => compileFilter(expression).evaluate(order));
    t.match(error, { name: 'EvaluationError', code, position, token }, expression);
  }
});

t.test('refuses what cannot be used, with the place', async (t) => {
  const refused: [expression: string, offset: number, message: RegExp][] = [
    ['a in ["x"', 9, /./],
    ['a and $eval(b)', 6, /\$eval/],
    ['$contains(a, /(?=b)/)', 13, /RE2/],
    ['$contains(a, /(b)\\1/)', 13, /RE2/],
  ];
  for (const [expression, offset, message] of refused) {
    try {
      compileFilter(expression);
      t.fail(expression);
    } catch (error) {
      t.ok(error instanceof ExpressionError, expression);
      t.match(error, { problems: [{ message, offset: Number }] });
      if (error instanceof ExpressionError) t.ok(Math.abs((error.problems[0]?.offset ?? -9) - offset) <= 1, expression);
    }
  }
  t.throws(() => compileFilter('('.repeat(20_000)), ExpressionError);
});

t.test('refuses `??` and `?:` nested in the left operand of another before they are parsed', async (t) => {
  const nested = (levels: number, operator: string, begin = 'x') =>
    `${'('.repeat(levels)}${begin}${` ${operator} a)`.repeat(levels)}`;
  for (const source of doublingFilters) {
    try {
      compileFilter(source);
      t.fail(source.slice(0, 100));
    } catch (error) {
      t.ok(error instanceof ExpressionError, source.slice(0, 100));
      // Some would not parse at all: this says that nobody tried.
      t.match(error, { problems: [{ message: /`\?\?` and `\?:`/ }] }, source.slice(0, 100));
    }
  }
  try {
    compileFilter(nested(21, '??'));
  } catch (error) {
    t.match(error, { problems: [{ message: /`\?\?` and `\?:`/, hint: /\$name := /, offset: Number }] });
  }

  const harmless = [
    nested(8, '??'),
    Array.from({ length: 1000 }, (_, index) => `(a ?? ${index})`).join(' and '),
    `a${' ?? a'.repeat(3000)}`,
    `a in ["${'('.repeat(30)}${' ?? a)'.repeat(30)}"]`,
    `/* ${nested(30, '??')} */ a`,
    `\`${nested(30, '??')}\``,
    `$contains(a, /${'(?:'.repeat(30)}b${')??'.repeat(30)}/)`,
    `$contains(a, /[${nested(30, '??')}]/)`,
    `${'a[b ?? '.repeat(200)}c${']'.repeat(200)}`,
  ];
  for (const source of harmless) {
    const filter = compileFilter(source);
    t.teardown(() => filter.close());
    t.pass(source.slice(0, 100));
  }
});

t.test('compiles what is accepted, however deeply it nests', async (t) => {
  for (const nest of nestedFilters) {
    // What doubles with each level ends for 26 of them, after a while; for 400 it never does.
    for (const levels of [26, 400]) {
      const source = nest(levels);
      const filter = compileFilter(source);
      t.teardown(() => filter.close());
      t.ok(filter.conditions.length >= 0);
      t.ok(filter.vocabulary.paths.length <= 100, source.slice(0, 60));
    }
  }
});

t.test('never throws for how deeply an expression nests, but to refuse it', async (t) => {
  const nests: readonly ((levels: number) => string)[] = [
    (levels) => `${'-'.repeat(levels)}1 = a`,
    (levels) => `${'a['.repeat(levels)}b${']'.repeat(levels)}`,
    (levels) => `${'(a and '.repeat(levels)}b${')'.repeat(levels)}`,
    (levels) => `a${'+a'.repeat(levels)} = 1`,
    (levels) => `[1 = 1${' and 1 = 1'.repeat(levels)}]`,
  ];
  for (const nest of nests) {
    for (let levels = 1000; levels < 9000; levels += 1600) {
      const told = await tell(nest(levels));
      t.ok(told === 'refused' || told.conjuncts > 0, `${nest(levels).slice(0, 20)} ${levels}`);
    }
  }
});

/** All that is made of an expression for its reviewers. */
async function tell(source: string): Promise<'refused' | { conjuncts: number }> {
  let filter: FilterExpression;
  try {
    filter = compileFilter(source);
  } catch (error) {
    if (error instanceof ExpressionError) return 'refused';
    throw error;
  }
  const observed = await filter.observe({ a: 1 });
  const { conjuncts } = await filter.explain({ a: 1 });
  await filter.close();
  if (observed.length !== filter.conditions.length) throw new Error('not all conditions are observed');
  return { conjuncts: conjuncts.length + filter.vocabulary.paths.length };
}

t.test('warns of expressions that come to the same for every input', async (t) => {
  const constant: [expression: string, message: RegExp | undefined][] = [
    ['true', /always true: it passes every request/],
    ['1 = 2', /always false: it drops every request/],
    ['"production"', /always true/],
    ['environment = "x" and false', /always false/],
    ['environment = "x" or $exists("x")', /always true/],
    ['(1 > "a") and environment = "x"', /always fails, with T2009/],
    ['"a" in ["a", "b"]', /always true/],
    ['$not($contains("abc", "b"))', /always false/],
    ['environment = "x"', undefined],
    ['environment', undefined],
    ['$now() > "2020"', undefined],
    ['$random() < 0.5', undefined],
    ['$count(items) > 1', undefined],
    ['$string() = "x"', undefined],
    ['*', undefined],
  ];
  for (const [expression, message] of constant) {
    const { warnings } = compileFilter(expression);
    if (message === undefined) t.same(warnings, [], expression);
    else t.match(warnings, [{ message, offset: Number }], expression);
  }
});

t.test('tells what an expression comes to for every input, and does not warn of it where that may be meant', (t) => {
  const constants: [expression: string, constant: { value: unknown } | undefined][] = [
    ['true', { value: true }],
    ['[1, 2]', { value: [1, 2] }],
    ['{ "a": 1 + 1 }', { value: { a: 2 } }],
    ['$lookup({}, "a")', { value: undefined }],
    ['environment', undefined],
    ['$now()', undefined],
  ];
  for (const [expression, constant] of constants) {
    const filter = compileFilter(expression, { purpose: 'value' });
    t.same(filter.constant, constant, expression);
    t.same(filter.warnings, [], expression);
  }
  const failing = compileFilter('1 > "a"', { purpose: 'value' });
  t.match(failing.warnings, [{ message: /always fails, with T2009/ }]);
  t.equal(failing.constant, undefined);
  t.end();
});

t.test('warns of variables that nothing binds, if it is told what there is', async (t) => {
  const options = { bindings: ['request', 'key'] };
  t.match(compileFilter('$reqest.ip = "x" or $reqest.method = "y"', options).warnings, [
    { message: '$reqest is undefined: no such variable or function', hint: /\$request, \$key/, offset: 0 },
  ]);
  t.same(compileFilter('$request.ip = $key.id', options).warnings, []);
  t.same(compileFilter('($x := a; $map(b, function($y){ $x = $y }))', options).warnings, []);
  t.same(compileFilter('$anything = 1').warnings, []);
});

t.test('reads bindings, which come before built-ins and after variables of its own', async (t) => {
  t.equal(compileFilter('$request.ip').evaluate({}, { request: { ip: '::1' } }), '::1');
  t.equal(compileFilter('$sum + 1').evaluate({}, { sum: 1 }), 2);
  t.equal(errorOf(() => compileFilter('$sum([1])').evaluate({}, { sum: 1 })).code, 'T1006');
  t.equal(compileFilter('($x := 1; $x)').evaluate({}, { x: 2 }), 1);
  t.equal(compileFilter('$toString').evaluate({}, {}), undefined);
});

t.test(
  'applies what follows a block at the end of a lambda as the reference does: to the call that is still to come',
  async (t) => {
    t.same(compileFilter('function($v){ ($split($v, /a/))[0] }("b")').evaluate({}), ['b']);
    t.equal(compileFilter('function($v){ ($split($v, /a/)) }("b")[0]').evaluate({}), 'b');
  },
);

t.test('has one clock and one seed in an evaluation', async (t) => {
  const filter = compileFilter('[$millis(), $random(), $random(), $now(), $shuffle([1..20])]');
  const circumstances = { now: 1_750_000_000_000, seed: 42 };
  const once = JSON.stringify(filter.evaluate({}, {}, circumstances));
  t.equal(JSON.stringify(filter.evaluate({}, {}, circumstances)), once);
  t.match(once, /^\[1750000000000,0\.\d+,0\.\d+,"2025-06-15T15:06:40\.000Z"/);
  t.not(JSON.stringify(filter.evaluate({}, {}, { ...circumstances, seed: 43 })), once);
  t.equal(compileFilter('$random() = $random()').evaluate({}), false);
});

t.test('ends what multiplies work beyond the size of its input', async (t) => {
  for (const { expression, input, ending } of multiplyingFilters) {
    const filter = compileFilter(expression);
    t.equal(filter.mode, 'compiled', expression);
    t.equal(errorOf(() => filter.evaluate(input)).code, ending, expression);
  }
  t.equal(errorOf(() => compileFilter('$count([1..10001])').evaluate({})).code, 'D2015');
  t.equal(compileFilter('$count([1..10001])', { limits: { maxSequence: 20_000 } }).evaluate({}), 10_001);
  t.equal(
    errorOf(() => compileFilter('1 + 1 = 2 and $count([1..99]) > 0', { limits: { maxSteps: 10 } }).evaluate({})).code,
    'D1012',
  );
});

t.test('is not to be led to what objects inherit', async (t) => {
  for (const name of ['constructor', '__proto__', 'toString', 'length', 'arity', 'invoke', 'callBack']) {
    t.equal(compileFilter(`\`${name}\``).evaluate({ a: 1 }), undefined, name);
    t.equal(compileFilter(`a.\`${name}\``).evaluate({ a: { b: 1 } }), undefined, name);
    t.equal(compileFilter(`$sum.\`${name}\``).evaluate({}), undefined, name);
    t.equal(compileFilter(`$lookup($, "${name}")`).evaluate({ a: 1 }), undefined, name);
  }
  t.equal(compileFilter('`__proto__`.x').evaluate(JSON.parse('{"__proto__": {"x": 1}}')), 1);
  t.equal(Object.getPrototypeOf(compileFilter('{"__proto__": {"x": 1}}').evaluate({})), null);
});

t.test('the conformance script does nothing where there is no suite', async (t) => {
  const script = join(import.meta.dirname, 'conformance/run.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--suite', join(t.testdirName, 'nowhere')]);
  t.match(stdout, /^No suite at .*nowhere: nothing to do\.$/m);
});

t.test('can be evaluated by what an input calls while it is evaluated', async (t) => {
  const filter = compileFilter('a & b');
  const input = {
    get a() {
      return filter.evaluate({ a: 'inner', b: '!' });
    },
    b: '?',
  };
  t.equal(filter.evaluate(input), 'inner!?');
});
