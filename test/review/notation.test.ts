import fc from 'fast-check';
import jsonata from 'jsonata';
import t from 'tap';
import { canonicalOptions } from '../../src/review/meaning/canonical-options.ts';
import { canonicalExpression } from '../../src/review/meaning/expression-tokens.ts';
import { basicFiles, gatewayFile, keyFile, triggerFile } from '../support/config-folder.ts';
import { planOf } from '../support/plan.ts';

const ask = (members: object) => ({ ...basicFiles(), 'ask.yaml': triggerFile('ask', members) });
const gateway = (members: Parameters<typeof gatewayFile>[0]) => ({
  ...basicFiles(),
  'gateway.yaml': gatewayFile(members),
});
const wait = (timeout?: string) => ask({ respond: { uses: 'wait', with: timeout === undefined ? {} : { timeout } } });
const jwt = (algorithms: readonly string[]) => {
  const options = {
    jwksUrl: 'https://example.org/keys',
    issuer: 'i',
    audience: 'a',
    projects: ['support'],
    algorithms,
  };
  return ask({ auth: { uses: 'jwt', with: options } });
};
const filter = (expression: string, options: object = {}) =>
  ask({ filter: { name: 'f', uses: 'jsonata', with: { expression, ...options } } });

type Files = Record<string, string>;
/** What says the same in other words, and what says something else. */
const notations: Readonly<Record<string, readonly [before: Files, same: Files, other: Files]>> = {
  'a duration in another unit': [wait('60m'), wait('1h'), wait('2h')],
  'a default that is written out': [wait(), wait('60s'), wait('30s')],
  'the order of a set in options': [jwt(['RS256', 'ES256']), jwt(['ES256', 'RS256']), jwt(['RS256'])],
  'the order of masks': [
    ask({ record: { mask: ['/a', '/b'] } }),
    ask({ record: { mask: ['/b', '/a'] } }),
    ask({ record: { mask: ['/a', '/b', '/c'] } }),
  ],
  'the order of the headers of a filter': [
    filter('$request.headers.origin = "a"', { headers: ['origin', 'referer'] }),
    filter('$request.headers.origin = "a"', { headers: ['referer', 'origin'] }),
    filter('$request.headers.origin = "a"', { headers: ['origin'] }),
  ],
  'the order of projects and permissions of a key': [
    { ...basicFiles(), 'keys/website.yaml': keyFile('website', { permissions: ['project.trigger', 'project.runs'] }) },
    { ...basicFiles(), 'keys/website.yaml': keyFile('website', { permissions: ['project.runs', 'project.trigger'] }) },
    { ...basicFiles(), 'keys/website.yaml': keyFile('website', { permissions: ['project.runs'] }) },
  ],
  'the order of trusted proxies and of outbound targets': [
    gateway({ server: { trustProxy: ['10.0.0.0/8', 'loopback'] }, outbound: { allow: ['a.example', 'b.example'] } }),
    gateway({ server: { trustProxy: ['loopback', '10.0.0.0/8'] }, outbound: { allow: ['b.example', 'a.example'] } }),
    gateway({ server: { trustProxy: ['loopback'] }, outbound: { allow: ['b.example', 'a.example'] } }),
  ],
  'one trusted proxy as a list': [
    gateway({ server: { trustProxy: 'loopback' } }),
    gateway({ server: { trustProxy: ['loopback'] } }),
    gateway({ server: { trustProxy: false } }),
  ],
  'white space, comments and quotes in an expression': [
    filter("customer.plan='pro' and order.total>10"),
    filter('customer.plan = "pro"\n  and /* not small */ order.total > 10'),
    filter('customer.plan = "p ro" and order.total > 10'),
  ],
};

for (const [name, [before, same, other]] of Object.entries(notations)) {
  t.test(`plan shows no change for ${name}, and one for another meaning`, async (t) => {
    const { details, codes, plan } = await planOf(t, { before, after: same });
    t.strictSame([details, codes, plan.witnesses], [[], [], []]);
    t.not((await planOf(t, { before, after: other })).details.length, 0);
  });
}

t.test('plan shows what is written, where the meaning differs', async (t) => {
  const { details } = await planOf(t, { before: wait('60m'), after: wait('2h') });
  t.strictSame(details, ['support/ask respond: wait timeout: 60m → 2h']);
});

t.test('plan shows another case of a key as a change that nobody gains or loses by', async (t) => {
  const files = (key: string) => ({ ...basicFiles(), 'ask.yaml': triggerFile(key, { name: 'ask' }) });
  const { plan, details } = await planOf(t, { before: files('ask'), after: files('Ask') });
  t.strictSame([plan.access, details], [[], ['support/Ask key: ask → Ask']]);
  const renamed = await planOf(t, { before: files('ask'), after: files('question') });
  t.match(renamed.plan.access, [{ caller: 'all', gains: ['support/question'], loses: ['support/ask'] }]);
});

t.test('a reference in the schema of options may have any characters', (t) => {
  const set = { type: 'array', uniqueItems: true };
  const names = { plain: 'plain', 'a/b': 'a~1b', 'a~b': 'a~0b', 'a b': 'a%20b', é: '%C3%A9', 'a%b': 'a%25b', '%': '%' };
  for (const [name, written] of Object.entries(names)) {
    const schema = { properties: { of: { $ref: `#/$defs/${written}` } }, $defs: { [name]: set } };
    t.strictSame(canonicalOptions({ of: ['b', 'a'] }, schema), { of: ['a', 'b'] }, written);
  }
  const inList = { properties: { of: { $ref: '#/allOf/0' } }, allOf: [set] };
  t.strictSame(canonicalOptions({ of: ['b', 'a'] }, inList), { of: ['a', 'b'] }, 'an item of a list');
  const missing = { properties: { of: { $ref: '#/$defs/constructor' } }, $defs: { other: set } };
  t.strictSame(canonicalOptions({ of: ['b', 'a'] }, missing), { of: ['b', 'a'] }, 'nothing there');
  t.end();
});

t.test('the canonical form of an expression keeps every token', (t) => {
  const same: readonly (readonly [string, string])[] = [
    ['a=1', ' a  = 1 '],
    ['$f(a,/x  y/i)', '$f( a , /x  y/i )'],
    ['a/b/c', 'a / b / c'],
    ['a[0].b{"k":c}', "a [0] . b { 'k' : c }"],
    ['`a  b`.c', '`a  b` . c'],
    ['a ? b : c', 'a?b:c'],
  ];
  for (const [one, other] of same) t.equal(canonicalExpression(one), canonicalExpression(other), one);
  const different: readonly (readonly [string, string])[] = [
    ['"a b"', '"a  b"'],
    ['$f(/x y/)', '$f(/x  y/)'],
    ['`a b`', '`a  b`'],
    ['a.* * 2', 'a.**2'],
    ['a b', 'ab'],
    ["'a\"b'", '"a"'],
    ['x in /a b/', 'x in /a  b/'],
  ];
  for (const [one, other] of different) t.not(canonicalExpression(one), canonicalExpression(other), one);
  t.end();
});

t.test('white space that JSONata does not skip is a part of a name, and never dropped', async (t) => {
  for (const space of ['\u00a0', '\f', '\u2028', '\ufeff']) {
    const [one, other] = ['$not(customer.blocked)', `$not(customer.blocked${space})`];
    t.not(canonicalExpression(one), canonicalExpression(other), `U+${space.charCodeAt(0).toString(16)}`);
  }
  const { details, plan } = await planOf(t, {
    before: filter('$not(customer.blocked)'),
    after: filter('$not(customer.blocked\u00a0)'),
  });
  t.equal(details.length, 1);
  t.equal(plan.witnesses.length, 1, 'and a request is searched that shows it');
});

/** What JSONata evaluates, without positions; undefined if it cannot parse the text. */
function parsed(source: string): string | undefined {
  try {
    return JSON.stringify(jsonata(source).ast(), (name, value) => {
      if (name === 'position') return undefined;
      return value instanceof RegExp ? String(value) : value;
    });
  } catch {
    return undefined;
  }
}

const pieces: readonly string[] = [
  ...['a', 'b', 'and', 'in', 'or', '$', '$x', '$f(', 'true', 'é', '☃', '`a b`', '`a  b`', '0', '1', '10', '1.5', '2e3'],
  ...[
    '"a b"',
    '"a  b"',
    "'a b'",
    "'a\"b'",
    '"\\""',
    '/',
    '/',
    '/a b/',
    '/a  b/i',
    '/[/ ]/',
    '/\\/ /',
    '/*',
    '*/',
    '/* c */',
  ],
  ...[
    '.',
    '..',
    '[',
    ']',
    '{',
    '}',
    '(',
    ')',
    ',',
    '@',
    '#',
    ';',
    ':',
    '?',
    '+',
    '*',
    '**',
    '%',
    '|',
    '=',
    '<',
    '>',
    '^',
  ],
  ...['&', '!', '!=', ':=', '~', '~>', '?:', '??', '-', 'function($x){', '^(', '"', "'", '`', '\\'],
  ...[' ', ' ', ' ', '  ', '\t', '\n', '\v', '\f', '\u00a0', '\u2028', '\ufeff'],
];
const expressions = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((some) => some.join('')),
  // More of these are valid.
  fc
    .tuple(
      fc.array(
        fc.tuple(
          fc.constantFrom('a', '`a b`', '"a b"', '$f(/a  b/)', '$f(/a b/)', '/a b/', '(a)', '1', '$', 'a[0]', '☃'),
          fc.constantFrom(' ', '/', ' / ', '.', ' and ', '*', '%', ' in ', '~>', '[/x y/]', '?', ':', '\u00a0'),
        ),
        { maxLength: 4 },
      ),
      fc.constantFrom('a', 'b', '/a b/', '/a  b/'),
    )
    .map(([parts, last]) => `${parts.flat().join('')}${last}`),
);

/** Changes of the text that may be of notation alone. */
function respaced(source: string): readonly string[] {
  const positions = Array.from({ length: source.length + 1 }, (_, at) => at);
  const spaces = [' ', '\n', '\u00a0', '/* c */'];
  return [
    canonicalExpression(source),
    source.replaceAll("'", '"'),
    ...positions.flatMap((at) => spaces.map((space) => source.slice(0, at) + space + source.slice(at))),
    ...positions.flatMap((at) => (/\s/.test(source.charAt(at)) ? [source.slice(0, at) + source.slice(at + 1)] : [])),
  ];
}

t.test('expressions of the same canonical form are the same to JSONata', (t) => {
  let compared = 0;
  fc.assert(
    fc.property(expressions, (source) => {
      const form = canonicalExpression(source);
      for (const other of respaced(source).filter((one) => one !== source && canonicalExpression(one) === form)) {
        const meaning = parsed(source);
        compared += Number(meaning !== undefined);
        if (parsed(other) !== meaning) throw new Error(`${JSON.stringify(other)} has another meaning`);
      }
    }),
    { numRuns: 300 },
  );
  t.ok(compared > 200, `${compared} pairs of valid expressions`);
  t.end();
});
