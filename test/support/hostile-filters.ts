// Filters that people might write, and inputs that are made to hurt them. The tests check how each evaluation ends;
// bench/hostile.ts measures how long that takes.

const members = (count: number, value: unknown) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, value]));
const list = (count: number, value: unknown) => Array.from({ length: count }, () => value);
const nested = (levels: number, value: unknown): unknown => (levels === 0 ? value : [nested(levels - 1, value)]);
const longText = 'a'.repeat(600_000);
const longNeedle = `${'a'.repeat(150_000)}b${'a'.repeat(150_000)}`;
const twins = { a: 'a'.repeat(500_000), b: `${'a'.repeat(499_999)}b` };

/** How an evaluation ends: with a value, or by the code of the error. */
export type Ending = { readonly value: unknown } | 'D1001' | 'D1012' | 'D2015';

export interface HostileFilter {
  readonly expression: string;
  /** At most a megabyte. */
  readonly input: unknown;
  readonly ending: Ending;
}

function hostile(expression: string, input: unknown, ending: Ending): HostileFilter {
  return { expression, input, ending };
}

/** All of them are compiled, so an evaluation that takes long would hold up the whole process. */
export const hostileFilters: readonly HostileFilter[] = [
  hostile('$pad(s, w, f)', { s: '', w: 100_000, f: 'x'.repeat(1500) }, 'D2015'),
  hostile('$pad("", 250, f)', { f: 'x'.repeat(600_000) }, 'D2015'),
  hostile('$string(a, true)', { a: nested(300, list(200_000, 0)) }, 'D1012'),
  hostile('$contains(a, b)', { a: longText, b: longNeedle }, { value: false }),
  hostile('$substringBefore(a, b)', { a: longText, b: longNeedle }, { value: longText }),
  hostile('$split(a, b)', { a: longText, b: longNeedle }, { value: [longText] }),
  hostile('$replace(a, b, "")', { a: longText, b: longNeedle }, { value: longText }),
  hostile('$formatInteger(n, "A")', { n: Infinity }, 'D1001'),
  hostile('$formatNumber(n, "0e0")', { n: Infinity }, 'D1001'),
  hostile('$fromMillis(n, "[F]")', { n: Infinity }, 'D1001'),
  hostile('$count(items[$$.enabled])', { items: list(50_000, 0), enabled: list(150_000, false) }, 'D1012'),
  hostile('$count(items[$$.meta])', { items: list(5000, 0), meta: members(60_000, 1) }, 'D1012'),
  hostile('$count(items[$$.meta = meta])', { items: list(3000, { meta: {} }), meta: members(50_000, 1) }, 'D1012'),
  hostile('[1..10000].($$.a = $$.b)', { a: list(400_000, 1), b: { x: 1 } }, { value: list(10_000, false) }),
  hostile('$count([1..10000].($$.*))', { a: list(300_000, []) }, 'D1012'),
  hostile('$keys([1..10000].$$.big)', { big: members(10_000, 1) }, 'D1012'),
  hostile('$contains(s, /a{0,99}a{399}b/)', { s: `${'a'.repeat(1_000_000)}cb` }, 'D1012'),
  hostile('$contains(s, /[\\w.]{1,64}@/)', { s: `${'a'.repeat(1_000_000)} @` }, 'D1012'),
  // Without the text that a match must contain, RE2 does not try.
  hostile('$contains(s, /a{0,99}a{399}b/)', { s: 'a'.repeat(1_000_000) }, { value: false }),
  hostile('$contains(s, /x.{0,900}y.{0,900}z/)', { s: `zzyy${'x'.repeat(900_000)}` }, 'D1012'),
  hostile('$count($match(s, /<(b[^>]*>)?/))', { s: '<b'.repeat(40_000) }, 'D1012'),
  hostile('($r := /x[^x]*y/; $count([1..10000].$r($$.s).match))', { s: `xy${'z'.repeat(900_000)}` }, 'D1012'),
  hostile('$count([1..10000].$number($$.s))', { s: `1.${'0'.repeat(900_000)}` }, 'D1012'),
  hostile('$count([1..10000].$toMillis($$.s))', { s: `2020-01-01T00:00:00.${'0'.repeat(900_000)}Z` }, 'D1012'),
  hostile('$count([1..10000].$fromMillis(0, $$.u, $$.s))', { s: '0'.repeat(900_000) }, 'D2015'),
  hostile('$count(items.$string($$.meta))', { items: list(5000, 0), meta: { ['k'.repeat(900_000)]: 1 } }, 'D1012'),
  hostile(
    '$distinct(items.{"m": $$.meta, "i": id})',
    { items: list(300, { id: 1 }), meta: { ['k'.repeat(900_000)]: 1 } },
    'D1012',
  ),
  hostile('$count(a.$formatBase($, 2))', { a: list(149_000, 1e308) }, 'D1012'),
  hostile('[1..16].$count($spread($$.a))', { a: members(60_000, 1) }, 'D2015'),
  hostile('$merge([1..16].$$.o)', { o: members(60_000, 1) }, 'D1012'),
  hostile('$count([1..60].$trim($$.s))', { s: 'a '.repeat(400_000) }, 'D1012'),
  hostile('[1..10000].($$.a in [$$.b, $$.b, $$.b])', twins, 'D1012'),
  hostile('$count([1..10000].($ % 2 = 0 ? $$.a : $$.b)^($))', twins, 'D1012'),
  hostile('$count($sort([1..10000].($ % 2 = 0 ? $$.a : $$.b)))', twins, 'D1012'),
];

const body = { items: Array.from({ length: 5000 }, (_, id) => ({ id })), text: 'a'.repeat(50_000) };

/** These multiply work far beyond the size of their input. */
export const multiplyingFilters: readonly HostileFilter[] = [
  hostile('$map(items, function($i){ $count($$.items[id = $i.id]) })', body, 'D1012'),
  hostile('$sum([1..9000].($sum([1..9000])))', body, 'D1012'),
  hostile('$map(items, function($i){ $uppercase($$.text) })', body, 'D1012'),
  hostile('$reduce([1..60], function($s, $i){ $s & $s }, "ab")', body, 'D1012'),
  hostile('$map(items, function($i){ $contains($$.text, /b+a/) })', body, 'D1012'),
  hostile('$map(items, function($i){ $string($$.items) })', body, 'D1012'),
];

/** Expressions of any depth; each is accepted. */
export const nestedFilters: readonly ((levels: number) => string)[] = [
  (levels) => `${'a['.repeat(levels)}b = 1${']'.repeat(levels)}`,
  (levels) => `${'['.repeat(levels)}a${'].b'.repeat(levels)}`,
  (levels) => `${'[a^('.repeat(levels)}b${')].c'.repeat(levels)}`,
  (levels) => `${'$a{"b":'.repeat(levels)}c${'}'.repeat(levels)}`,
  (levels) => `${'a in ['.repeat(levels)}c${']'.repeat(levels)}`,
  (levels) => `a.b.c.(${'('.repeat(levels)}%${' + %)'.repeat(levels)})`,
  (levels) => `(x?a:b)${'.(x?a:b)'.repeat(levels)}`,
  (levels) => `[a,b]${'.[a,b]'.repeat(levels)}`,
  (levels) => `($a:=[b,c];${'$a:=$append($a,$a);'.repeat(levels)}$a.c)`,
  (levels) => `$contains(a, /(${'\\/'.repeat(levels * 4)})/)`,
];

const choices = (levels: number, operator: string, begin = 'x') =>
  `${'('.repeat(levels)}${begin}${` ${operator} a)`.repeat(levels)}`;

/** Expressions over which the parser would double its work again and again. They are refused before it sees them. */
export const doublingFilters: readonly string[] = [
  choices(21, '??'),
  choices(2000, '?:'),
  choices(10, '??', `[${'x,'.repeat(4000)}x]`),
  `${choices(21, '??')} "`,
  `|a|{}| and /'/ and ${choices(21, '??')} and "'"`,
  `a^(/'/) and ${choices(21, '??')} and "'"`,
  `function($x)<n:n>{ /'/ }(a) and ${choices(21, '??')} and "'"`,
  `$f(?, /'/) and ${choices(21, '??')} and "'"`,
  `or / 2 and ${choices(21, '??')} / 3`,
  `${'$f('.repeat(21)}x${') ?? a'.repeat(21)}`,
];
