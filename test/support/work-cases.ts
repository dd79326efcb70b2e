import { builtIns } from '../../src/filter/library/built-ins.ts';
import { type BuiltInName, reference } from '../../src/filter/library/reference.ts';

// Expressions over bodies of a megabyte, of the shapes that hurt most. Each body has the same members: `a` an array, `o` an
// object, `s` a string, `t` a short string, `n` a number.

const megabyte = 1 << 20;
const list = (count: number, itemOf: (index: number) => unknown) =>
  Array.from({ length: count }, (_, index) => itemOf(index));
const members = (count: number, memberOf: (index: number) => unknown) =>
  Object.fromEntries(list(count, (index) => [`k${index}`, memberOf(index)]) as [string, unknown][]);
const tree = (levels: number, width: number, leaf: unknown): unknown =>
  levels === 0 ? leaf : list(width, () => ({ x: tree(levels - 1, width, leaf) }));

interface Body {
  readonly a: unknown;
  readonly o: unknown;
  readonly s: string;
  readonly t: string;
  readonly n: number;
}

function bodyOf({ a = [], o = {}, s = 'some text', t = 'a', n = 3 }: Partial<Body>): Body {
  return { a, o, s, t, n };
}

/** Shapes that are known to be bad, each of a megabyte or a little less. */
export const hostileBodies: Readonly<Record<string, Body>> = {
  'a long text': bodyOf({ s: 'a'.repeat(megabyte) }),
  'a long text with many matches': bodyOf({ s: 'ab '.repeat(megabyte / 3), t: ' ' }),
  'a long text beyond ASCII': bodyOf({ s: 'ß😀'.repeat(megabyte / 6), t: 'ß' }),
  'a long text to search for': bodyOf({ s: 'a'.repeat(megabyte / 2), t: `${'a'.repeat(megabyte / 4)}b` }),
  'a wide array of numbers': bodyOf({ a: list(megabyte / 2, () => 0) }),
  'an array of different numbers': bodyOf({ a: list(megabyte / 10, (index) => index * 1.25), n: 1e300 }),
  'many small strings': bodyOf({ a: list(megabyte / 10, (index) => `s${index}`) }),
  'long strings that begin alike': bodyOf({ a: list(250, (index) => `${'x'.repeat(4000)}${index}`) }),
  'a wide object': bodyOf({ o: members(megabyte / 14, () => 1) }),
  'many small objects': bodyOf({
    a: list(megabyte / 20, (index) => ({ x: index, y: `${index % 7}` })),
    o: { x: list(megabyte / 40, (index) => ({ y: index })) },
  }),
  'many empty arrays': bodyOf({ a: list(megabyte / 3, () => []), o: { x: list(megabyte / 3, () => []) } }),
  'many nested arrays': bodyOf({ a: list(megabyte / 12, (index) => [index, [index]]) }),
  'a deep tree': bodyOf({ a: tree(14, 2, 0), o: { x: tree(14, 2, 0) } }),
};

/** Bodies for which every expression ends within its limits. */
export const harmlessBodies: readonly Body[] = [
  bodyOf({
    a: [{ x: 1, y: { x: 'one' } }, { x: 2, y: 'two' }, [3, [4]], 'text', 5, 5.5, { x: [6, 7, 8] }],
    o: { x: [{ y: 1 }, { y: 2 }], z: { x: { y: 3 } } },
    s: 'ab ab ba zz1',
  }),
  // Texts that are long enough for comparing them to be paid.
  bodyOf({ a: ['x', 'y', 'y'].map((end) => `${'a'.repeat(300)}${end}`), s: `${'a'.repeat(300)}x`, t: 'a'.repeat(301) }),
  bodyOf({ a: ['😀', 'ß'], s: '😀ab ß'.repeat(20), t: '😀' }),
];

/** Arguments of built-ins where others than those by type are meant. */
const givenArguments: Readonly<Partial<Record<BuiltInName, readonly string[]>>> = {
  formatNumber: ['n, "#,##0.00"'],
  formatInteger: ['n, "w"', 'n, "A"', 'n, $substring(s, 0, 250)'],
  parseInteger: ['s, "0"', 't, "w"'],
  toMillis: ['s', '"2020-01-01T00:00:00Z"'],
  fromMillis: ['n', 'n, "[Y0001]-[M01]-[D01]"'],
  now: ['', '"[Y0001]"'],
  error: ['t'],
  assert: ['true, t'],
  pad: ['s, 20', 't, 50000', 't, -2000, "xyz"', 's, $length(s) + 1'],
  formatBase: ['n, 2', 'a[0], 7'],
  zip: ['a', 'a, a, a'],
  append: ['a, a', 'a, 1', '[], a'],
  merge: ['a', '[o, o, o]'],
  lookup: ['a, "x"', 'o, "x"', 'o, t'],
  contains: ['s, t', 's, /x/', 's, /a+$/', 's, /(a|b)+c/', 's, /[a-z]{1,500}[0-9]$/'],
  match: ['s, /x/', 's, /a/', 's, /(a)(b)/', 's, /[a-z]{1,500}[0-9]$/', 's, /a+$/', 's, /(a|ab) ?/', 's, /a/, 3'],
  replace: ['s, t, "xy"', 's, /a/, "$0$0"', 's, /a+$/, ""', 's, /a/, s', 's, /(a)/, function($m){ $m.match & "b" }'],
  split: ['s, t', 's, ""', 's, "zz"', 's, /a/', 's, /a+$/', 's, " ", 5'],
  join: ['a.$string($)', 'a', 'a, s'],
  round: ['n, 1'],
  power: ['n, 2'],
  substring: ['s, 1', 's, 1, 5', 's, -3'],
  string: ['a', 'o', 's', 'a, true', 'o, true'],
  reduce: ['a, function($all, $item){ $append($all, $item) }', 'a, function($all, $item){ $item }, 0'],
  sort: ['a', 'a, function($l, $r){ $string($l) > $string($r) }'],
  single: ['a, function($v){ $v = "none" }', 'a, function($v){ true }'],
};

/** By the symbol of a parameter's type. */
const argumentsOf: Readonly<Record<string, readonly string[]>> = {
  s: ['s'],
  n: ['n', 'a[0]'],
  b: ['true'],
  a: ['a'],
  o: ['o', 'a'],
  f: ['function($v){ $v }', 'function($v, $k){ $k = $v }'],
  x: ['a', 'o', 's'],
  j: ['a', 'o', 's'],
};

/** Calls of a built-in by the types in its signature, so that a new built-in has some too. */
function callsOf(name: string): readonly string[] {
  const given = givenArguments[name as BuiltInName];
  if (given !== undefined) return given.map((args) => `$${name}(${args})`);
  const { signature } = reference[name as BuiltInName];
  const parameters = signature.slice(1).replace(/:.*$/, '').replace(/<.>/g, '');
  let lists: readonly string[][] = [[]];
  for (const [, choice = '', symbol = ''] of parameters.matchAll(/(?:\((\w+)\)|(\w))[-?+]*/g)) {
    const options = [...(choice || symbol)].flatMap((each) => argumentsOf[each] ?? ['$']);
    lists = lists.flatMap((args) => options.map((option) => [...args, option]));
  }
  return lists.map((args) => `$${name}(${args.join(', ')})`);
}

const operators = [
  ...[
    'a.x',
    'a.y.x',
    'o.x.y',
    'a.x[0]',
    'a[]',
    'a.[$]',
    'a.($$.a)',
    'a.($$.o)',
    'o.*',
    'a.*',
    '*',
    '**',
    'a.**',
    'o.*.*',
  ],
  ...[
    'a[$ = 1]',
    'a[x = 1]',
    'a[0]',
    'a[-1]',
    'a[[0..9]]',
    'a[$$.a]',
    'a[$$.o]',
    'a[x][y]',
    '["abc", s][1].x',
    '[s][0].x',
  ],
  ...['a^($)', 'a^(x)', 'a^(>x, y)', 'a{$string($): $}', 'a{"k": $}', 'a.{ "k": $, "all": $$ }', 'a.{ $string(x): 1 }'],
  ...[
    '{ "a": a, "b": o }',
    '{ s: a }',
    '[a, a]',
    '[a, [a]]',
    '[1..100000]',
    'a.[1..100]',
    's & s',
    'a & o',
    'a = $$.o.x',
  ],
  ...[
    'a = [a]',
    '[1] = {"length": 1, "0": 1}',
    'o = $clone(o)',
    'a != a.x',
    's = t',
    's < t & s',
    'a.($ < 1)',
    '$$.a in a',
    't in a',
    's in [s, t]',
    '1 in a',
  ],
  ...[
    'a and o',
    'a or o',
    'a ? 1 : 2',
    '-n + n * n / n % n - 1',
    'a.$',
    'a.(($x := $; $x))',
    '($f := function($v){ $v }; a.$f($))',
  ],
  ...[
    'a ~> $count',
    '($f := $string ~> $length; a.$f($))',
    '$map(a, function($v, $k, $all){ $all[$k] })',
    'a.x ~> $sum()',
  ],
  ...['$map(a, function($v){ $count($$.a) })', 'a.($$.a = $$.a)', '$map(a, $uppercase)', '($v := a; $v.($v))'],
  ...[
    '$reduce(a, function($s, $v){ $s & $string($v) })',
    '($r := /a/; a.($r($$.s).match))',
    '($m := /a/(s); a.$m.next())',
  ],
  ...['/b/(s).next().next().match', 'a.$$.s', '$exists(a.x) ?: o', '($a := a; $b := $append($a, $a); $append($b, $b))'],
];

/** Over each body: each built-in once, and again for each item of it; each operator and each kind of step. */
export const workExpressions: readonly { readonly name: string; readonly expressions: readonly string[] }[] = [
  ...[...builtIns.keys()].map((name) => {
    const calls = callsOf(name);
    return {
      name: `$${name}`,
      expressions: [
        ...calls,
        ...calls.map((each) => `[1..9].(${each.replace(/\b([aosnt])\b(?=[,)[. ])/g, '$$$$.$1')})`),
      ],
    };
  }),
  ...operators.map((expression) => ({ name: expression, expressions: [expression] })),
];
