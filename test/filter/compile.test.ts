import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { compileFilter, EvaluationError, ExpressionError, type FilterExpression } from '../../src/filter/index.ts';
import { doublingFilters, multiplyingFilters, nestedFilters } from '../support/hostile-filters.ts';
import { keepWorkers } from '../support/isolated-workers.ts';

const order = {
  plan: 'pro',
  amount: 12,
  items: [
    { sku: 'a', price: 5, tags: ['x'] },
    { sku: 'b', price: 7, tags: ['x', 'y'] },
  ],
};

await keepWorkers(t);

function errorOf(evaluate: () => unknown): EvaluationError {
  try {
    evaluate();
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

t.test('a compiled expression is evaluated synchronously', async (t) => {
  const filter = compileFilter('items[price > 6].sku');
  t.equal(filter.mode, 'compiled');
  t.equal(filter.reason, undefined);
  t.equal(filter.evaluate(order), 'b');
  t.equal(filter.evaluate({}), undefined);
  t.equal(filter.passes(order), true);
  t.equal(filter.passes({}), false);
  await filter.close();
});

t.test('isolated expressions', async (t) => {
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
    await t.test(`an expression is isolated for ${reason.source}: ${expression}`, async (t) => {
      const filter = compileFilter(expression);
      t.equal(filter.mode, 'isolated');
      t.match(filter.reason, reason);
      await filter.close();
    });
  }
});

t.test('errors of compiled expressions', async (t) => {
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
    await t.test(`an evaluation fails with code, position and token like JSONata: ${expression}`, async (t) => {
      const error = errorOf(() => compileFilter(expression).evaluate(order));
      t.match(error, { name: 'EvaluationError', code, position, token });
    });
  }
});

t.test('refused expressions', async (t) => {
  const refused: [expression: string, offset: number, message: RegExp][] = [
    ['a in ["x"', 9, /./],
    ['a and $eval(b)', 6, /\$eval/],
    ['$contains(a, /(?=b)/)', 13, /RE2/],
    ['$contains(a, /(b)\\1/)', 13, /RE2/],
  ];
  for (const [expression, offset, message] of refused) {
    await t.test(`an invalid or unsafe expression is refused at its offset: ${expression}`, async (t) => {
      try {
        compileFilter(expression);
        t.fail('not refused');
      } catch (error) {
        t.ok(error instanceof ExpressionError);
        t.match(error, { problems: [{ message, offset: Number }] });
        if (error instanceof ExpressionError) t.ok(Math.abs((error.problems[0]?.offset ?? -9) - offset) <= 1);
      }
    });
  }
  await t.test('an expression of 20,000 open parentheses is refused', async (t) => {
    t.throws(() => compileFilter('('.repeat(20_000)), ExpressionError);
  });
});

t.test('`??` and `?:` nested in the left operand of another are refused before parsing', async (t) => {
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

t.test('an accepted expression compiles in time, however deeply it nests', async (t) => {
  for (const nest of nestedFilters) {
    // What doubles with each level ends for 26 of them, after a while; for 400 it never does.
    for (const levels of [26, 400]) {
      const source = nest(levels);
      const filter = compileFilter(source);
      t.teardown(() => filter.close());
      t.ok(filter.conditions.length >= 0, source.slice(0, 60));
      t.ok(filter.vocabulary.paths.length <= 100, source.slice(0, 60));
    }
  }
});

t.test('a deeply nested expression is either refused or fully reviewed, but never throws', async (t) => {
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

t.test('constant filters', async (t) => {
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
    const verb =
      message === undefined ? 'a varying filter is compiled without a warning' : 'a constant filter is a warning';
    await t.test(`${verb}: ${expression}`, async (t) => {
      const { warnings } = compileFilter(expression);
      if (message === undefined) t.same(warnings, []);
      else t.match(warnings, [{ message, offset: Number }]);
    });
  }
});

t.test('constant values', (t) => {
  const constants: [expression: string, constant: { value: unknown } | undefined][] = [
    ['true', { value: true }],
    ['[1, 2]', { value: [1, 2] }],
    ['{ "a": 1 + 1 }', { value: { a: 2 } }],
    ['$lookup({}, "a")', { value: undefined }],
    ['environment', undefined],
    ['$now()', undefined],
  ];
  for (const [expression, constant] of constants) {
    const kind = constant === undefined ? 'a varying value' : 'a constant value';
    t.test(`${kind} is recognised without a warning: ${expression}`, async (t) => {
      const filter = compileFilter(expression, { purpose: 'value' });
      t.same(filter.constant, constant);
      t.same(filter.warnings, []);
    });
  }
  t.test('a value whose expression always fails is a warning', async (t) => {
    const failing = compileFilter('1 > "a"', { purpose: 'value' });
    t.match(failing.warnings, [{ message: /always fails, with T2009/ }]);
    t.equal(failing.constant, undefined);
  });
  t.end();
});

t.test('an unbound variable is a warning if the bindings are known', async (t) => {
  const options = { bindings: ['request', 'key'] };
  t.match(compileFilter('$reqest.ip = "x" or $reqest.method = "y"', options).warnings, [
    { message: '$reqest is undefined: no such variable or function', hint: /\$request, \$key/, offset: 0 },
  ]);
  t.same(compileFilter('$request.ip = $key.id', options).warnings, []);
  t.same(compileFilter('($x := a; $map(b, function($y){ $x = $y }))', options).warnings, []);
  t.same(compileFilter('$anything = 1').warnings, []);
});

t.test('bindings shadow built-in functions, and variables of the expression shadow bindings', async (t) => {
  t.equal(compileFilter('$request.ip').evaluate({}, { request: { ip: '::1' } }), '::1');
  t.equal(compileFilter('$sum + 1').evaluate({}, { sum: 1 }), 2);
  t.equal(errorOf(() => compileFilter('$sum([1])').evaluate({}, { sum: 1 })).code, 'T1006');
  t.equal(compileFilter('($x := 1; $x)').evaluate({}, { x: 2 }), 1);
  t.equal(compileFilter('$toString').evaluate({}, {}), undefined);
});

t.test('a predicate after the final block of a lambda applies to its tail call, as in the reference', async (t) => {
  t.same(compileFilter('function($v){ ($split($v, /a/))[0] }("b")').evaluate({}), ['b']);
  t.equal(compileFilter('function($v){ ($split($v, /a/)) }("b")[0]').evaluate({}), 'b');
});

t.test('an evaluation uses a single clock and a single seed', async (t) => {
  const filter = compileFilter('[$millis(), $random(), $random(), $now(), $shuffle([1..20])]');
  const circumstances = { now: 1_750_000_000_000, seed: 42 };
  const once = JSON.stringify(filter.evaluate({}, {}, circumstances));
  t.equal(JSON.stringify(filter.evaluate({}, {}, circumstances)), once);
  t.match(once, /^\[1750000000000,0\.\d+,0\.\d+,"2025-06-15T15:06:40\.000Z"/);
  t.not(JSON.stringify(filter.evaluate({}, {}, { ...circumstances, seed: 43 })), once);
  t.equal(compileFilter('$random() = $random()').evaluate({}), false);
});

t.test('limits of compiled expressions', async (t) => {
  for (const { expression, input, ending } of multiplyingFilters) {
    await t.test(`a compiled expression that multiplies work ends with ${ending}: ${expression}`, async (t) => {
      const filter = compileFilter(expression);
      t.equal(filter.mode, 'compiled');
      t.equal(errorOf(() => filter.evaluate(input)).code, ending);
    });
  }
  await t.test('maxSequence and maxSteps limit a compiled expression', async (t) => {
    t.equal(errorOf(() => compileFilter('$count([1..10001])').evaluate({})).code, 'D2015');
    t.equal(compileFilter('$count([1..10001])', { limits: { maxSequence: 20_000 } }).evaluate({}), 10_001);
    t.equal(
      errorOf(() => compileFilter('1 + 1 = 2 and $count([1..99]) > 0', { limits: { maxSteps: 10 } }).evaluate({})).code,
      'D1012',
    );
  });
});

t.test('prototype pollution: an expression cannot read inherited properties', async (t) => {
  for (const name of ['constructor', '__proto__', 'toString', 'length', 'arity', 'invoke', 'callBack']) {
    t.equal(compileFilter(`\`${name}\``).evaluate({ a: 1 }), undefined, name);
    t.equal(compileFilter(`a.\`${name}\``).evaluate({ a: { b: 1 } }), undefined, name);
    t.equal(compileFilter(`$sum.\`${name}\``).evaluate({}), undefined, name);
    t.equal(compileFilter(`$lookup($, "${name}")`).evaluate({ a: 1 }), undefined, name);
  }
  t.equal(compileFilter('`__proto__`.x').evaluate(JSON.parse('{"__proto__": {"x": 1}}')), 1);
  t.equal(Object.getPrototypeOf(compileFilter('{"__proto__": {"x": 1}}').evaluate({})), null);
});

t.test('the conformance script exits without work if the suite is missing', async (t) => {
  const script = join(import.meta.dirname, 'conformance/run.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--suite', join(t.testdirName, 'nowhere')]);
  t.match(stdout, /^No suite at .*nowhere: nothing to do\.$/m);
});

t.test('a filter can be evaluated again from a getter of its own input', async (t) => {
  const filter = compileFilter('a & b');
  const input = {
    get a() {
      return filter.evaluate({ a: 'inner', b: '!' });
    },
    b: '?',
  };
  t.equal(filter.evaluate(input), 'inner!?');
});
