import t, { type Test } from 'tap';
import { shapesOf } from '../../plugins/filter/jsonata/variables.ts';
import { type BindingNames, compileFilter, ExpressionError, type ExpressionProblem } from '../../src/filter/index.ts';

const bindings = shapesOf({ headers: ['origin', 'user-agent'], claims: ['tier'] });

function problemsOf(source: string, known: BindingNames | undefined = bindings): readonly ExpressionProblem[] {
  try {
    return compileFilter(source, known && { bindings: known }).warnings;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return error.problems;
  }
}

function isRefused(source: string): boolean {
  try {
    compileFilter(source, { bindings });
    return false;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return true;
  }
}

/** The text that a problem points at, and what its hint must have. */
type Case = readonly [source: string, at: string, hint: string];

function check(t: Test, cases: readonly Case[], refused: boolean): void {
  for (const [source, at, hint] of cases) {
    const problems = problemsOf(source);
    const found = problems.find((problem) => problem.hint?.includes(hint));
    t.ok(found, `${source}: ${JSON.stringify(problems)}`);
    t.equal(source.slice(found?.offset).startsWith(at), true, `${source} at ${found?.offset}`);
    t.equal(isRefused(source), refused, source);
  }
}

t.test('calls of something that is not a function are refused, with the function of JSONata', async (t) => {
  check(
    t,
    [
      ['contains(x, "a")', 'contains', '$contains('],
      ['exists(x.y)', 'exists', '$exists(x)'],
      ['a = 1 and not(x)', 'not', '$not(x)'],
      ['x.includes("a")', 'includes', '$contains('],
      ['customer.name.startsWith("a")', 'startsWith', '$substring(x, 0, 3)'],
      ['x.endsWith("a")', 'endsWith', '/abc$/'],
      ['x.toLowerCase() = "a"', 'toLowerCase', '$lowercase(x)'],
      ['x.toUpperCase() = "A"', 'toUpperCase', '$uppercase(x)'],
      ['x.lower() = "a"', 'lower', '$lowercase(x)'],
      ['x.indexOf("a") > -1', 'indexOf', '$contains('],
      ['x.trim() = "a"', 'trim', '$trim('],
      ['items.some(a)', 'some', '$exists(items['],
      ['items.length() > 1', 'length', '$length('],
      ['len(items) > 1', 'len', '$count(x)'],
      ['typeof(x) = "string"', 'typeof', '$type(x)'],
      ['parseInt(x) > 1', 'parseInt', '$number(x)'],
      ['JSON.parse(x).a = 1', 'parse', 'already parsed'],
      ['Object.keys(x) = "a"', 'keys', '$keys('],
      ['$map(items, function($i){ $i.price.toFixed(2) })', 'toFixed', 'https://docs.jsonata.org'],
      ['NOT(x)', 'NOT', '$not'],
      ['$contain(x, "a")', '$contain', '$contains'],
      ['$contians(x, "a")', '$contians', '$contains'],
      ['x ~> $lowercas', '$lowercas', '$lowercase'],
      ['x ~> $contain("a")', '$contain', '$contains'],
      ['$map(items, $contain(?, "a"))', '$contain', '$contains'],
      ['$startsWith(x, "a")', '$startsWith', '$substring(x, 0, 3)'],
      ['$toLowerCase(x) = "a"', '$toLowerCase', '$lowercase'],
      ['$len(x) > 1', '$len', '$length'],
      ['$includes(x, "a")', '$includes', '$contains'],
      ['$request.get("origin")', 'get', '$lookup('],
      ['$nonsense(x)', '$nonsense', 'https://docs.jsonata.org'],
    ],
    true,
  );
  t.match(problemsOf('$request("origin")'), [{ message: /^\$request is not a function/, offset: 0 }]);
  t.match(problemsOf('contains(x, "a")'), [
    { message: 'contains(…) calls a member as a function, which always fails' },
  ]);
  // What may be a function.
  for (const source of [
    '$contains(x, "a")',
    '($f := function($x){ $x > 1 }; $f(amount))',
    '($o := {"f": function($x){ $x > 1 }}; $o.f(amount))',
    '$match(x, /a/).next()',
    'contains = 1',
  ]) {
    t.same(problemsOf(source), [], source);
  }
  t.same(problemsOf('contains(x, "a") and $contain(x, "a")', []).length, 2);
  t.equal(compileFilter('$contain(x)').mode, 'compiled', 'unknown bindings may be functions');
});

t.test('members that a variable never has are reported, above all headers that the options do not list', async (t) => {
  check(
    t,
    [
      ['$request.headers.referer = "a"', 'referer', 'headers: [origin, user-agent, referer]'],
      [
        '$request.headers.`x-github-event` = "push"',
        '`x-github-event`',
        'Add "x-github-event" to the option `headers`',
      ],
      ['$lookup($request.headers, "x-github-event") = "push"', '"x-github-event"', 'Add "x-github-event"'],
      ['$request.headers["x-github-event"] = "push"', '"x-github-event"', '$request.headers.`x-github-event`'],
      ['$request.headers["origin"] = "a"', '"origin"', 'Write $request.headers.origin'],
      ['customer["plan"] = "pro"', '"plan"', 'Write .plan'],
      ['$request.headers.Origin = "a"', 'Origin', 'lower case'],
      ['$request.headers.user_agent = "a"', 'user_agent', '`user-agent`'],
      ['$request.headers.authorization = "a"', 'authorization', 'secret'],
      ['$request.header.origin = "a"', 'header', '$request.headers'],
      ['$request.Headers.origin = "a"', 'Headers', '$request.headers'],
      ['$request.body.plan = "pro"', 'body', 'The body is $'],
      ['$request.path = "/"', 'path', 'It has method, ip, query, headers.'],
      ['$caller.name = "a"', 'name', 'It has id, claims.'],
      ['$caller.claims.role = "a"', 'role', 'Add "role" to the option `claims`'],
      ['$event.type = "push"', 'type', '$event.name'],
      ['$trigger.id = "a"', 'id', 'It has key, name.'],
      ['$headers.origin = "a"', '$headers', '$request.headers'],
      ['$reqest.ip = "a"', '$reqest', '$request'],
      ['$body.plan = "pro"', '$body', 'The body is $'],
      ['$map(items, $uppercas)', '$uppercas', '$uppercase'],
    ],
    false,
  );
  for (const source of [
    '$request.headers.origin = "a"',
    '$request.headers.`user-agent` = "a"',
    '$lookup($request.headers, "origin") = "a"',
    '$lookup($request.headers, name) = "a"',
    '$request.query.team = "blue"',
    '$caller.claims.tier > 1',
    '$request.headers.*',
    '($request := customer; $request.header = "a")',
    'items[plan = "pro"]',
    'items[0]',
  ]) {
    t.same(problemsOf(source), [], source);
  }
});

t.test(
  'what JSONata reads as the name of a member, or as a subtraction, is reported where it is hardly meant',
  async (t) => {
    check(
      t,
      [
        ['x-github-event = "push"', 'x-github-event', '$request.headers.`x-github-event`'],
        ['$request.headers.x-github-event = "push"', 'x-github-event', '$request.headers.`x-github-event`'],
        ['$request.headers.x-hub-signature-256', 'x-hub-signature-256', '$request.headers.`x-hub-signature-256`'],
        ['user-agent = "a"', 'user-agent', '$request.headers.`user-agent`'],
        ['order.line-items = 1', 'line-items', '`line-items`'],
        ['“pro” = plan', '“pro”', 'straight quotes'],
        ['plan = ‘pro’', '‘pro’', 'straight quotes'],
        ['plan = «pro»', '«pro»', 'straight quotes'],
        ['active = True', 'True', 'true'],
        ['active = FALSE', 'FALSE', 'false'],
        ['x = None', 'None', 'null'],
        ['x != undefined', 'undefined', '$exists(x)'],
        ['x = nil', 'nil', 'null'],
        ['NULL = x', 'NULL', 'null'],
        ['x.length > 3', 'length', '$length(x)'],
        ['items.length > 3', 'length', '$count(x)'],
        ['x.toLowerCase = "a"', 'toLowerCase', '$lowercase(x)'],
        ['x×2 > 3', '×', 'Write *'],
        ['"order " + id = "order 7"', '+', 'Write &'],
        ["first + ' ' = x", '+', 'Write &'],
        ['plan = "pro" or "free"', 'or', 'plan in ["a", "b"]'],
        ['1 < amount < 5', '< 5', 'a > 1 and a < 9'],
      ],
      false,
    );
    for (const source of [
      'total - discount > 5',
      'total-1 > 5',
      '$sum(a)-$sum(b) > 5',
      '`x-github-event` = "push"',
      'x.`length` > 3',
      'true = active',
      'x = null',
      '$boolean(x)',
      'a + b > 3',
      'a & "x" = "yx"',
      '"naïve" = x',
      'größe > 3',
    ]) {
      t.same(problemsOf(source), [], source);
    }
  },
);

t.test('syntax of other languages is refused with the way of JSONata', async (t) => {
  check(
    t,
    [
      ['a == b', '=', 'Write = '],
      ['a === b', '=', 'Write = '],
      ['a !== b', '=', 'Write !='],
      ['a <> b', '>', 'Write !='],
      ['a && b', '&', 'Write and'],
      ['a || b', '|', 'Write or'],
      ['!x', '!', '$not(x)'],
      ['a = 1 and !$exists(x)', '!', '$not(x)'],
      ['$filter(items, x => x.price > 1)', '>', 'function($x)'],
      ['a // comment', '', '/* … */'],
      ['# comment', '#', '/* … */'],
      ['not x', 'x', '$not(x)'],
      ['NOT x', 'x', '$not(x)'],
      ['x not in ["a"]', 'not', '$not(x in'],
      ['x is null', 'is', 'x = null'],
      ['x IS NOT NULL', 'IS', 'x = null'],
      ['a = 1 AND b = 2', 'AND', 'Write and'],
      ['a = 1 OR b = 2', 'OR', 'Write or'],
      ['x LIKE "a"', 'LIKE', '$contains('],
      ['x contains "a"', 'contains', '$contains('],
      ['x startsWith "a"', 'startsWith', '/^abc/'],
      ['x =~ /a/', '~', '$contains('],
      ['x between 1 and 2', 'between', 'x >= 1 and'],
      ['typeof x = "string"', 'x', '$type(x)'],
      ['x?.y', '.', 'Write a.b'],
      ['x ** 2', '**', '$power('],
      ['x^2', '2', '$power('],
      ['$a := 1; $a', ';', 'parentheses'],
      ['x = 1;', ';', 'Leave the ;'],
      ['let $a = 1', '$a', 'parentheses'],
      ['if (x) { 1 }', '}', 'x > 1 ?'],
      ['return x', 'x', 'Leave return'],
      ['%', '', 'remainder'],
      ['x := 1', 'x', 'Write = '],
      ['function(x){ x }', 'x', 'function($x)'],
      ['x in ("a", "b")', ',', 'in brackets'],
      ['x in ["a",]', ']', 'last comma'],
      ['{{ x }}', '}', 'without {{ }}'],
      ['/a/g', 'g', 'flags i and m'],
      ['x ≥ 1', '≥', 'Write >='],
      ['a = 1 and\u00a0b', 'and', 'plain space'],
      ['x = “big plan”', 'plan”', 'straight quotes'],
      ['items.0', '', 'items[0]'],
      ['$exists x', 'x', '$exists(x)'],
      ["x = 'it''s'", '', 'for a quote'],
    ],
    true,
  );
  for (const source of ['a = b and c or d', 'x ?? y', 'x ?: y', 'x ? true', 'a % 2 = 1', '$not(x)', 'a != b']) {
    t.same(problemsOf(source), [], source);
  }
});
