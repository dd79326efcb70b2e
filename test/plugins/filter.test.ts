import jsonata from 'jsonata';
import t from 'tap';
import jsonSchema from '../../plugins/filter/json-schema/index.ts';
import jsonataFilter from '../../plugins/filter/jsonata/index.ts';
import {
  type Exchange,
  type Filter,
  type FilterReview,
  type JsonObject,
  OptionsError,
  type OptionsFinding,
  type OptionsProblem,
  WorkBudget,
} from '../../src/contract/index.ts';
import { exchangeOf, pluginContext } from '../support/exchange.ts';

interface Changes {
  timeout?: number;
  maxDepth?: number;
  maxSequence?: number;
  onError?: 'drop' | 'pass';
  headers?: string[];
  claims?: string[];
}

const defaults = { timeout: 5000, maxDepth: 500, maxSequence: 10_000, onError: 'drop' as const, claims: [] };

const closers: (() => unknown)[] = [];
t.teardown(() => Promise.all(closers.map((close) => close())));

const filterOf = (expression: string, changes: Changes = {}, report = (_finding: OptionsFinding): void => {}) =>
  jsonataFilter.create(
    { ...pluginContext, report, onClose: (closer) => closers.push(closer) },
    { expression, ...defaults, headers: ['origin'], ...changes },
  );

const evaluate = async (
  expression: string,
  body: JsonObject | string,
  changes: Changes = {},
  exchange: Partial<Exchange> = {},
) => filterOf(expression, changes).evaluate(exchangeOf(body, exchange));

function reviewOf(filter: Filter): FilterReview {
  const review = filter.review?.();
  if (review === undefined) throw new Error('the filter has no review');
  return review;
}

async function problemsOf(create: () => unknown): Promise<readonly OptionsProblem[]> {
  try {
    await create();
  } catch (error) {
    if (OptionsError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

t.test('jsonata', async (t) => {
  t.test('jsonata passes a request if the expression is true, and drops it otherwise', async (t) => {
    const plan = 'customer.plan in ["pro", "enterprise"]';
    t.same(await evaluate(plan, { customer: { plan: 'pro' } }), { kind: 'passed' });
    t.match(await evaluate(plan, { customer: { plan: 'free' } }), { kind: 'dropped' });
    t.match(await evaluate(plan, {}), { kind: 'dropped' });
    const refund = '$contains(instruction, "refund") and amount > 10';
    t.same(await evaluate(refund, { instruction: 'refund order 7', amount: 11 }), { kind: 'passed' });
    t.match(await evaluate(refund, { instruction: 'refund order 7', amount: 10 }), { kind: 'dropped' });
  });

  t.test('jsonata reads the query, listed claims of the caller and the event of a webhook', async (t) => {
    const caller = {
      id: 'jwt:ada',
      permissions: new Set<never>(),
      projects: 'all' as const,
      claims: { tier: 1, sub: 'a' },
    };
    const event = { name: 'push', id: undefined, time: undefined };
    const exchange = { caller, event, query: 'team=blue&tag=a&tag=b&api_key=x&__proto__=y' };
    const passes = async (expression: string) =>
      (await evaluate(expression, {}, { claims: ['tier', 'constructor'] }, exchange)).kind;
    t.equal(await passes('$request.query = {"team": "blue", "tag": ["a", "b"]}'), 'passed');
    t.equal(await passes('$caller = {"id": "jwt:ada", "claims": {"tier": 1}} and $caller = $key'), 'passed');
    t.equal(await passes('$event = {"name": "push"}'), 'passed');
    t.equal((await evaluate('$exists($event.name)', {})).kind, 'dropped', 'no webhook');
    t.equal((await evaluate('$exists($caller.claims.tier)', {}, {}, exchange)).kind, 'dropped', 'not listed');
  });

  t.test('a request that exhausts its work never passes by onError, unlike one whose evaluation fails', async (t) => {
    const pass = { onError: 'pass' } as const;
    const body = { items: Array.from({ length: 1000 }, () => 1) };
    const work = () => new WorkBudget(100);
    t.same(await evaluate('items > 10', { items: 'x' }, pass), { kind: 'passed' });
    t.match(await evaluate('$sum(items) < 0', body, pass, { work: work() }), { kind: 'error' });
    const isolated = '($f := function($n){ $n = 0 ? false : $f($n - 1) }; $f(n))';
    t.match(await evaluate(isolated, body, pass, { work: work() }), { kind: 'error' }, 'too much to send');
    t.same(await evaluate(isolated, { n: -1 }, { ...pass, timeout: 50 }), { kind: 'passed' }, 'its own limit');
  });

  t.test('jsonata that finds no free process is an error with a reason of its own', async (t) => {
    const filter = filterOf('($f := function($n){ $n = 0 ? true : $f($n - 1) }; $f(n))');
    const results = await Promise.all(Array.from({ length: 1100 }, async () => filter.evaluate(exchangeOf({ n: 1 }))));
    const refused = results.filter(({ kind }) => kind === 'error');
    t.match(refused[0], { reason: /^the expression was not evaluated: / });
  });

  t.test('jsonata sees the defaults of fields that the body omits', async (t) => {
    t.same(await evaluate('environment = "api" and language = "en"', {}), { kind: 'passed' });
    const noBody = await filterOf('$not($exists(instruction))').evaluate(exchangeOf(undefined));
    t.same(noBody, { kind: 'passed' });
  });

  t.test('truth of a result', async (t) => {
    const expressions = [
      ...[
        'true',
        'false',
        'null',
        '0',
        '1',
        '-1',
        '""',
        '"0"',
        '[]',
        '[0]',
        '[1]',
        '[0,0]',
        '[0,1]',
        '[[[1]]]',
        '[[]]',
      ],
      ...['{}', '{"a":0}', '[{}]', '[{"a":1}]', 'missing', 'items', 'items.a', 'items[a=0].a', 'items[a=9]', 'items.b'],
      ...[
        '$sum',
        'function($x){$x}',
        '[$sum]',
        '[$sum, 1]',
        '/a/',
        '$match("aa", /a/)',
        '$sift(items[0], function($v){$v})',
      ],
      ...['[missing]', 'items^(a)', 'items{$string(a): a}', '$spread(items)', '[1..3]', '{"a": $sum}', '$keys(items)'],
    ];
    const input = { items: [{ a: 1 }, { a: 0, b: [] }] };
    for (const expression of expressions) {
      await t.test(`jsonata takes a result for true as $boolean does: ${expression}`, async (t) => {
        const expected = (await jsonata(`$boolean(${expression})`).evaluate(input)) === true;
        t.equal((await evaluate(expression, input)).kind, expected ? 'passed' : 'dropped');
      });
    }
  });

  t.test('syntax errors', async (t) => {
    const cases: [expression: string, offset: number][] = [
      ['a in ["x"', 9],
      ['1 +* 2', 5],
      ['a bc', 2],
      ['"abc', 4],
      ['a and', 5],
      ['$f := 1 = ', 10],
      ['a and /b**/', 6],
    ];
    for (const [expression, offset] of cases) {
      await t.test(`jsonata reports a syntax error at its offset: ${expression}`, async (t) => {
        const [problem, ...more] = await problemsOf(() => filterOf(expression));
        t.match(problem, { pointer: '/expression', offset: Number });
        t.ok(Math.abs((problem?.offset ?? -9) - offset) <= 1, `${problem?.offset} is near ${offset}`);
        t.notMatch(problem?.message, /\n|at .*:\d+/);
        t.same(more, []);
      });
    }
  });

  t.test('jsonata refuses a timeout of 0, which JSONata takes for no timeout', async (t) => {
    t.match(await problemsOf(() => filterOf('true', { timeout: 0 })), [{ pointer: '/timeout' }]);
  });

  t.test('jsonata refuses $eval anywhere in an expression', async (t) => {
    for (const expression of [
      '$eval(x)',
      '1 = 2 or $eval("1")',
      '($e := $eval; $e(x))',
      'x ~> $eval',
      'a.{"k": [$eval(b)]}',
    ]) {
      t.match(
        await problemsOf(() => filterOf(expression)),
        [{ pointer: '/expression', message: /\$eval/, offset: expression.indexOf('$eval') }],
        expression,
      );
    }
    t.same(await problemsOf(() => filterOf('eval = "$eval(1)"')), []);
  });

  t.test('ReDoS: jsonata refuses regular expressions that RE2 does not support', async (t) => {
    for (const literal of ['/(?=a)/', '/(a)\\1/i', '/a{2000}/']) {
      const expression = `$contains(x, ${literal})`;
      t.match(await problemsOf(() => filterOf(expression)), [{ offset: expression.indexOf('/') }], literal);
    }
  });

  t.test('regular expressions', async (t) => {
    const body = { text: 'Order 12, order 345; ÄÖ 😀 x', empty: '' };
    const expressions = [
      '$match(text, /order (\\d+)/i).groups',
      '$string($match(text, /(a)|(o)rder/i)[0].groups)',
      '$replace(text, /(\\d)(\\d)/, "$2$1")',
      '$split(text, /[,;] */)',
      '$contains(text, /^Order/) and $contains(text, /x$/)',
      '$contains(text, /^order/m)',
      '$replace(text, /\\w+/, function($m){ $uppercase($m.match) }, 2)',
      '$match(text, /😀/).index',
      '($find := /x/; $find(text).start)',
      '$split(text, /[/ ]/)',
    ];
    for (const expression of expressions) {
      await t.test(`jsonata matches regular expressions as JSONata does: ${expression}`, async (t) => {
        const expected = JSON.parse(JSON.stringify(await jsonata(expression).evaluate(body)));
        t.same(await evaluate(`(${expression}) = expected`, { ...body, expected }), { kind: 'passed' });
      });
    }
    await t.test('jsonata reports D1004 for a regular expression that matches an empty string', async (t) => {
      const reason = 'JSONata error D1004 at position 7: the regular expression matches an empty string';
      t.same(await evaluate('$match(text, /x*/)', body), { kind: 'error', reason });
    });
  });

  t.test('ReDoS: jsonata evaluates a catastrophic regular expression in linear time', async (t) => {
    t.match(await evaluate('$contains(x, /^(a+)+$/)', { x: `${'a'.repeat(50_000)}b` }), { kind: 'dropped' });
  });

  t.test('jsonata stops an evaluation beyond its time, depth or size limit with an error', async (t) => {
    const forEver = '($f := function($x){ $f($x + 1) }; $f(1))';
    t.match(await evaluate(forEver, {}, { timeout: 20 }), { kind: 'error', reason: /D1012/ });
    const deep = '($f := function($x){ 1 + $f($x + 1) }; $f(1))';
    t.match(await evaluate(deep, {}, { maxDepth: 50 }), { kind: 'error', reason: /D1011/ });
    t.match(await evaluate('[1..11]', {}, { maxSequence: 10 }), { kind: 'error', reason: /D2015/ });
    const text = 'a'.repeat(1_000_000);
    t.match(await evaluate('$replace(text, /a/, "bb")', { text }), { kind: 'error', reason: /D1012/ });
  });

  t.test('jsonata limits long-running built-in functions without breaking normal calls', async (t) => {
    const values = Array.from({ length: 9000 }, (_, id) => ({ id, of: { id } }));
    t.same(await evaluate('$count($distinct($append(values, values))) = 9000', { values }, { maxSequence: 20_000 }), {
      kind: 'passed',
    });
    t.match(await evaluate('$pad("x", width)', { width: 1e9 }), { kind: 'error', reason: /D2015/ });
    t.same(await evaluate('$pad("x", -3, "0") = "00x" and ("x" ~> $pad(2)) = "x "', {}), { kind: 'passed' });
    const date = { date: `${'1'.repeat(600)}x` };
    t.match(await evaluate('$toMillis(date, "[f1][f1][f1][f1]Z")', date, { timeout: 50 }), {
      kind: 'error',
      reason: /D1012/,
    });
    const dates =
      '$toMillis("1970-01-01T00:00:01Z") = 1000 and $toMillis("02/01/1970", "[D01]/[M01]/[Y0001]") = 86400000';
    t.same(await evaluate(dates, {}), { kind: 'passed' });
    t.same(await evaluate('$map([[1, 1], [2, 2]], $distinct) = [[1], [2]]', {}), { kind: 'passed' });
  });

  t.test('jsonata reports an error by code and position, never with values of the body', async (t) => {
    const body = { amount: 'TOPSECRET', customer: { plan: 'TOPSECRET' } };
    const reason =
      'JSONata error T2009 at position 8: the two sides of a comparison have different types: one is a number, the other a string';
    t.same(await evaluate('amount > 10', body), { kind: 'error', reason });
    for (const expression of [
      '$error(amount)',
      '$number(amount)',
      '($f := customer; $f())',
      '$assert(false, amount)',
      '1 + amount',
      '($f := amount; $f())',
      '$sqrt(-1)',
      '$$.customer.plan.($x := $; $x())',
    ]) {
      const result = await evaluate(expression, body);
      t.equal(result.kind, 'error', expression);
      t.notMatch(JSON.stringify(result), 'TOPSECRET', expression);
    }
  });

  t.test('bodies with JSONata markers', async (t) => {
    const recursive = '($f := function($n){ $n = 0 ? true : 1 = 1 and $f($n - 1) }; $f(2))';
    const bodies = [
      '{"customer":{"_jsonata_function":true}}',
      '{"list":[{"_jsonata_lambda":true}]}',
      '{"\\u005fjsonata_function":true}',
      '{"outerWrapper":true,"0":{"plan":"pro"}}',
      '{"a":{"tupleStream":true}}',
    ];
    for (const body of bodies) {
      await t.test(`a compiled expression reads JSONata markers as data, an isolated one fails: ${body}`, async (t) => {
        t.same(await evaluate('$type($) = "object"', body), { kind: 'passed' });
        t.match(await evaluate(recursive, body), { kind: 'error', reason: /D1013/ });
      });
    }
    const harmless = ['{"a":"_jsonata_function"}', '{"_jsonata_":"\\u00e9"}'];
    for (const body of harmless)
      await t.test(`an isolated expression accepts a body without JSONata markers: ${body}`, async (t) => {
        t.same(await evaluate(recursive, body), { kind: 'passed' });
      });
  });

  t.test('variables of an expression', async (t) => {
    const exchange = {
      method: 'POST',
      ip: '203.0.113.7',
      headers: { origin: 'https://shop.example.org', 'x-api-key': 'TOPSECRET', 'user-agent': 'curl' },
    };
    const passes = [
      '$request.method = "POST" and $request.ip = "203.0.113.7"',
      '$request.headers.origin = "https://shop.example.org"',
      '$key.id = "website"',
      '$project.id = "support" and $project.language = "en"',
      '$trigger.key = "refund" and $trigger.name = "Refund"',
      // Isolated: an expression that may call itself.
      '($f := function($n){ $n = 0 ? $key.id : $f($n - 1) }; $f(2)) = "website"',
    ];
    for (const expression of passes) {
      await t.test(`jsonata gives an expression its variables: ${expression}`, async (t) => {
        t.same(await evaluate(expression, {}, {}, exchange), { kind: 'passed' });
      });
    }
    const hidden = ['$request.headers.`x-api-key`', '$request.headers.`user-agent`', 'request', '$request.body'];
    for (const expression of hidden) {
      await t.test(`jsonata hides undeclared headers and the raw request: ${expression}`, async (t) => {
        t.match(await evaluate(expression, {}, {}, exchange), { kind: 'dropped' });
      });
    }
    await t.test('jsonata gives an expression the headers of its options, but no credential', async (t) => {
      t.same(await evaluate('$request.headers.`user-agent` = "curl"', {}, { headers: ['user-agent'] }, exchange), {
        kind: 'passed',
      });
      const inherited = await evaluate(
        '$exists($request.headers.constructor)',
        {},
        { headers: ['constructor'] },
        exchange,
      );
      t.match(inherited, { kind: 'dropped' });
      for (const name of ['x-api-key', 'authorization', 'cookie']) {
        const problems = await problemsOf(() => filterOf('true', { headers: ['origin', name] }));
        t.match(problems, [{ pointer: '/headers/1' }], name);
      }
    });
  });

  t.test('jsonata evaluates the same request to the same result again', async (t) => {
    const text = '[$now(), $millis(), $random(), $random(), $shuffle([1..9])]';
    for (const expression of [
      `$string(${text})`,
      `($f := function($n){ $n = 0 ? $string(${text}) : $f($n - 1) }; $f(1))`,
    ]) {
      const seen = async (body: JsonObject, receivedAt: number) => {
        const results: string[] = [];
        // Its value shows only as whether it passes.
        for (const guess of '0123456789abcdef') {
          results.push((await evaluate(`$contains(${expression}, "${guess}${guess}")`, body, {}, { receivedAt })).kind);
        }
        results.push((await evaluate(`$length(${expression}) % 2 = 0`, body, {}, { receivedAt })).kind);
        return results.join();
      };
      t.equal(await seen({ a: 1 }, 1000), await seen({ a: 1 }, 1000), expression);
    }
    t.same(await evaluate('$millis() = 1000 and $now() = "1970-01-01T00:00:01.000Z"', {}), { kind: 'passed' });
  });

  t.test(
    'jsonata passes a request after a failed evaluation with onError: pass, and reports an error otherwise',
    async (t) => {
      const failing = ['amount > 10', '($f := function($x){ 1 + $f($x) }; $f(amount))'];
      for (const expression of failing) {
        const failed = { kind: 'error', reason: /^JSONata error [TD]\d{4}/ };
        t.match(await evaluate(expression, { amount: 'x' }), failed, expression);
        t.same(await evaluate(expression, { amount: 'x' }, { onError: 'pass' }), { kind: 'passed' }, expression);
      }
      t.match(await evaluate('amount > 10', { amount: 1 }, { onError: 'pass' }), { kind: 'dropped' });
    },
  );

  t.test('jsonata notes how it evaluates, and warns of constant expressions and unknown variables', async (t) => {
    const findingsOf = (expression: string) => {
      const findings: OptionsFinding[] = [];
      filterOf(expression, {}, (finding) => void findings.push(finding));
      return findings;
    };
    t.same(findingsOf('amount > 10'), [{ severity: 'note', pointer: '/expression', message: 'compiled' }]);
    t.match(findingsOf('($f := function($n){ $f($n) }; $f(1))'), [
      { severity: 'note', message: /^isolated.*\$f may be a function that calls itself/ },
    ]);
    t.match(findingsOf('amount > 10 or 1 = 1'), [
      { severity: 'warning', pointer: '/expression', message: /always true/, offset: 17 },
      { severity: 'note' },
    ]);
    t.match(findingsOf('"a" = "b" and amount > 10'), [{ severity: 'warning', message: /always false/, offset: 4 }, {}]);
    t.match(findingsOf('$reqest.ip = "x"'), [{ severity: 'warning', message: /\$reqest/, offset: 0 }, {}]);
  });

  t.test('jsonata keeps concurrent evaluations apart', async (t) => {
    // Each awaits often, so that all are under way at once.
    const filter = filterOf('$$.id % 2 = 0 and $count([1..5][$$.id = $number($match($$.text, /\\d+/).match)]) = 5');
    const ids = Array.from({ length: 50 }, (_, id) => id);
    const results = await Promise.all(ids.map((id) => filter.evaluate(exchangeOf({ id, text: `number ${id}` }))));
    t.same(
      results.map(({ kind }) => kind),
      ids.map((id) => (id % 2 === 0 ? 'passed' : 'dropped')),
    );
  });

  t.test('the review of jsonata lists conditions and observes their outcomes', async (t) => {
    for (const isolated of ['', ' and ($f := function($n){ $n = 0 ? true : $f($n - 1) }; $f(1))'])
      await t.test(
        `the review of ${isolated ? 'an isolated' : 'a compiled'} filter observes its conditions`,
        async (t) => {
          const filter = filterOf(`$key.id = "website" and $millis() = 1000 and amount > 10${isolated}`);
          const review = reviewOf(filter);
          t.equal(reviewOf(filter), review, 'the review is created once');
          t.match(review.conditions.slice(1), [
            { source: '$key.id = "website"', pointer: '/expression', offset: 0 },
            { source: '$millis() = 1000', pointer: '/expression', offset: 24 },
            { source: 'amount > 10', pointer: '/expression', offset: 45 },
          ]);
          const seen = async (body: JsonObject) => (await review.observe(exchangeOf(body))).slice(0, 4);
          const [yes, no, never] = [
            { seenTrue: true, seenFalse: false },
            { seenTrue: false, seenFalse: true },
            { seenTrue: false, seenFalse: false },
          ];
          t.same(await seen({ amount: 11 }), [yes, yes, yes, yes]);
          t.same(await seen({ amount: 10 }), [no, yes, yes, no]);
          t.same(await seen({ amount: 'x' }), [never, yes, yes, never]);
          t.same(review.vocabulary.paths, [['amount']]);
          t.match(review.vocabulary.constants, ['website', 1000, 10]);
        },
      );
  });

  t.test('the review of jsonata explains a decision by its conjuncts', async (t) => {
    const review = reviewOf(filterOf('$key.id = "website" and amount > 10 and $exists(email)'));
    t.same(await review.explain(exchangeOf({ amount: 9 })), [
      {
        source: '$key.id = "website"',
        passes: true,
        value: true,
        operator: '=',
        parts: [
          { source: '$key.id', value: 'website' },
          { source: '"website"', value: 'website' },
        ],
      },
      {
        source: 'amount > 10',
        passes: false,
        value: false,
        operator: '>',
        parts: [
          { source: 'amount', value: 9 },
          { source: '10', value: 10 },
        ],
      },
      { source: '$exists(email)', passes: false, value: false },
    ]);
    const [, missing] = await review.explain(exchangeOf({}));
    t.same(missing?.parts, [{ source: 'amount' }, { source: '10', value: 10 }]);
    t.notOk(missing && 'value' in missing);
  });

  t.test('the review of jsonata explains a failed evaluation with the outcome that onError sets', async (t) => {
    const passesOf = async (onError: 'drop' | 'pass', body: JsonObject) => {
      const filter = filterOf('plan = "pro" and amount > 10 and email', { onError });
      const explained = await reviewOf(filter).explain(exchangeOf(body));
      const passes = (await filter.evaluate(exchangeOf(body))).kind === 'passed';
      t.equal(
        explained.every((condition) => condition.passes),
        passes,
      );
      return explained.map((condition) => condition.error ?? condition.passes);
    };
    t.same(await passesOf('drop', { plan: 'pro', amount: 'x' }), [true, 'T2009', false]);
    t.same(await passesOf('pass', { plan: 'pro', amount: 'x' }), [true, 'T2009']);
    t.same(await passesOf('pass', { plan: 'free', amount: 'x' }), [false, 'T2009', false]);
    t.same(await passesOf('pass', { plan: 'pro', amount: 11 }), [true, true, false]);
  });

  t.test('jsonata evaluates the next request after a failed evaluation', async (t) => {
    const filter = filterOf('amount > 10');
    t.match(await filter.evaluate(exchangeOf({ amount: 'x' })), { kind: 'error' });
    t.same(await filter.evaluate(exchangeOf({ amount: 11 })), { kind: 'passed' });
  });
});

t.test('json-schema', async (t) => {
  const filterOf = (schema: JsonObject | boolean) => jsonSchema.create(pluginContext, { schema, timeout: 5000 });
  const evaluate = (schema: JsonObject | boolean, body: JsonObject) => filterOf(schema).evaluate(exchangeOf(body));

  t.test('json-schema passes a valid body, and names pointer and keyword but no value otherwise', async (t) => {
    const schema = {
      required: ['instruction'],
      properties: {
        customer: {
          properties: { plan: { enum: ['pro'] }, email: { format: 'email' }, code: { pattern: '^[A-Z]+$' } },
        },
        'a/b': { type: 'number' },
      },
    };
    const dropped = (body: JsonObject, reason: string) => t.same(evaluate(schema, body), { kind: 'dropped', reason });
    t.same(evaluate(schema, { instruction: 'x', customer: { plan: 'pro', email: 'a@b.org', code: 'AB' } }), {
      kind: 'passed',
    });
    dropped({}, '(root) required instruction');
    dropped({ instruction: 'x', customer: { plan: 'SECRET' } }, '/customer/plan enum');
    dropped({ instruction: 'x', customer: { email: 'SECRET' } }, '/customer/email format');
    dropped({ instruction: 'x', customer: { code: 'secret' } }, '/customer/code pattern');
    dropped({ instruction: 'x', 'a/b': 'SECRET' }, '/a~1b type');
  });

  t.test('json-schema accepts a boolean as schema', async (t) => {
    t.same(evaluate(true, {}), { kind: 'passed' });
    t.match(evaluate(false, {}), { kind: 'dropped' });
  });

  t.test('json-schema ignores inherited members', async (t) => {
    t.match(evaluate({ required: ['toString'] }, {}), { kind: 'dropped' });
    t.same(evaluate({ required: ['toString'] }, { toString: 1 }), { kind: 'passed' });
  });

  t.test('json-schema matches several patterns independently', async (t) => {
    const schema = {
      properties: { a: { pattern: '^x' }, b: { pattern: '^y' } },
      patternProperties: { '^z': { type: 'null' } },
    };
    t.same(evaluate(schema, { a: 'x', b: 'y', z: null }), { kind: 'passed' });
    t.same(evaluate(schema, { a: 'x', b: 'x' }), { kind: 'dropped', reason: '/b pattern' });
    t.same(evaluate(schema, { zz: 1 }), { kind: 'dropped', reason: '/zz type' });
  });

  t.test('ReDoS: json-schema matches patterns in linear time', async (t) => {
    const schema = { properties: { x: { pattern: '^(a+)+$' } } };
    t.match(evaluate(schema, { x: `${'a'.repeat(50_000)}b` }), { kind: 'dropped' });
  });

  t.test('json-schema reads draft-07 by default, and 2020-12 if $schema declares it', async (t) => {
    const tuple = { properties: { x: { prefixItems: [{ type: 'number' }] } } };
    t.same(evaluate(tuple, { x: ['a'] }), { kind: 'passed' });
    const declared = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...tuple };
    t.same(evaluate(declared, { x: ['a'] }), { kind: 'dropped', reason: '/x/0 type' });
    const older = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' };
    t.same(evaluate(older, {}), { kind: 'passed' });
  });

  t.test('json-schema follows references inside the schema', async (t) => {
    const schema = { properties: { a: { $ref: '#/definitions/b' } }, definitions: { b: { type: 'number' } } };
    t.same(evaluate(schema, { a: 'x' }), { kind: 'dropped', reason: '/a type' });
  });

  t.test('invalid schemas', async (t) => {
    const cases: [schema: JsonObject, pointer: string][] = [
      [{ type: 'strnig' }, '/schema/type'],
      [{ properties: { a: { minimum: 'x' } } }, '/schema/properties/a/minimum'],
      [{ properties: { a: { pattern: '(' } } }, '/schema/properties/a/pattern'],
      [{ properties: { a: { pattern: '(?=x)' } } }, '/schema/properties/a/pattern'],
      [{ patternProperties: { '(a)\\1': { type: 'null' } } }, '/schema/patternProperties/(a)\\1'],
      [{ properties: { a: { $ref: 'https://example.org/x.json' } } }, '/schema/properties/a/$ref'],
      [{ $ref: '#/definitions/missing' }, '/schema/$ref'],
      [{ $schema: 'http://json-schema.org/draft-04/schema#' }, '/schema/$schema'],
      [{ $async: true }, '/schema/$async'],
      [{ allOf: [{ $ref: '#' }] }, '/schema'],
    ];
    for (const [schema, pointer] of cases) {
      await t.test(`json-schema refuses an invalid schema at ${pointer}: ${JSON.stringify(schema)}`, async (t) => {
        const [problem] = await problemsOf(() => filterOf(schema));
        t.match(problem, { pointer, message: String });
      });
    }
  });

  t.test('the review of json-schema lists the parts of the schema and observes which a body satisfies', async (t) => {
    const review = reviewOf(
      filterOf({
        $id: 'https://example.org/order',
        required: ['plan'],
        properties: {
          plan: { enum: ['pro', 'enterprise'] },
          'a/b ~ü': { $ref: '#/definitions/amount' },
          customer: { required: ['email'], properties: { email: { minLength: 3 }, note: { description: 'any' } } },
        },
        definitions: { amount: { minimum: 10 } },
      }),
    );
    const seen = async (body: JsonObject) => {
      const observed = await review.observe(exchangeOf(body));
      return observed.map(({ seenTrue, seenFalse }) => (seenTrue === seenFalse ? '' : seenTrue ? 'T' : 'F')).join(' ');
    };
    t.same(review.conditions, [
      { source: 'schema', pointer: '/schema' },
      { source: 'required: plan', pointer: '/schema/required/0' },
      { source: 'plan: {"enum":["pro","enterprise"]}', pointer: '/schema/properties/plan' },
      { source: 'a/b ~ü: {"$ref":"#/definitions/amount"}', pointer: '/schema/properties/a~1b ~0ü' },
      {
        source: 'customer: {"required":["email"],"properties":{"email":{"minLength":3},"note":{"description…',
        pointer: '/schema/properties/customer',
      },
      { source: 'required: customer.email', pointer: '/schema/properties/customer/required/0' },
      { source: 'customer.email: {"minLength":3}', pointer: '/schema/properties/customer/properties/email' },
    ]);
    t.equal(await seen({}), 'F F     ');
    t.equal(await seen({ plan: 'pro', 'a/b ~ü': 10, customer: { email: 'a@b' } }), 'T T T T T T T');
    t.equal(await seen({ plan: 'free', 'a/b ~ü': 9, customer: {} }), 'F T F F F F ');
    t.equal(await seen({ plan: 'pro', customer: 'none' }), 'T T T  T  ');
    t.same(review.vocabulary, {
      paths: [['plan'], ['a/b ~ü'], ['customer'], ['customer', 'email'], ['customer', 'note']],
      constants: ['pro', 'enterprise', 3],
    });
    t.same(reviewOf(filterOf(true)).conditions, []);
  });

  t.test('the review of json-schema explains all failing places with their values', async (t) => {
    const review = reviewOf(filterOf({ required: ['plan'], properties: { tags: { items: { type: 'string' } } } }));
    t.same(await review.explain(exchangeOf({ plan: 'pro' })), [{ source: 'schema', passes: true, value: true }]);
    t.same(await review.explain(exchangeOf({ tags: ['a', 1, 'b', { c: 2 }] })), [
      { source: 'schema', passes: false, value: false },
      { source: '(root) required plan', passes: false },
      { source: '/tags/1 type', passes: false, value: 1 },
      { source: '/tags/3 type', passes: false, value: { c: 2 } },
    ]);
    const many = await review.explain(exchangeOf({ tags: Array.from({ length: 500 }, () => 1) }));
    t.ok(many.length < 50, 'the number of explained places is limited');
  });

  t.test('json-schema and its review report a body that nests too deeply for the schema', async (t) => {
    const filter = filterOf({ properties: { a: { $ref: '#' } } });
    let body: JsonObject = {};
    for (let depth = 0; depth < 100_000; depth += 1) body = { a: body };
    const exchange = exchangeOf({}, { input: { environment: 'api', language: 'en', ...body } });
    t.same(filter.evaluate(exchange), { kind: 'error', reason: 'the schema recurses too deeply' });
    const review = reviewOf(filter);
    t.match(await review.explain(exchange), [{ source: 'schema', passes: false, error: /deeply/ }]);
    t.match(await review.observe(exchange), [{ seenTrue: false, seenFalse: false }, {}]);
  });
});
