import t from 'tap';
import { compileFilter, ExpressionError } from '../../src/filter/index.ts';
import { engineOf } from '../../src/filter/regexp/engine-of.ts';
import { LinearEngine } from '../../src/filter/regexp/linear-engine.ts';
import { unmetered } from '../../src/filter/regexp/unmetered.ts';
import { unlessTurnedAway } from '../support/isolated-workers.ts';
import { patience } from '../support/patience.ts';
import { compareRegExps, outcomeOf, outcomeOfRegExp } from './conformance/compare-regexps.ts';

t.test('5,000 random regular expressions find in random texts what RegExp finds', async (t) => {
  // Always the same ones here: `npm run conformance` draws new ones each time.
  const { native, matching } = compareRegExps(5000, 20261130);
  t.ok(native > 1000, `${native} of them run on the native engine too`);
  t.ok(matching > 2500, `${matching} of them match`);
});

/** Regular expressions whose meaning in other engines differs from JavaScript's, and texts that show it. */
const meanings: readonly (readonly [kind: string, source: string, ...texts: string[]])[] = [
  ['white space', String.raw`a\s+b+`, 'a\u00a0b', 'a\ufeffb', 'a\u2028b', 'a\u180eb', 'a\u0085b', 'a\vb'],
  ['no white space', String.raw`(\S|x)+`, '\u00a0', '\ufeff', ' \u3000y'],
  ['word characters', String.raw`(\w|-)+`, 'ſK', 'é', '\u212a', 'a-b'],
  ['word boundaries', String.raw`\b(?:é|a)+\b`, 'éa', 'aé', 'ſa', 'a\u212a'],
  ['a dot and line ends', 'a(.|x)+b', 'a\rb', 'a\nb', 'a\u2028b', 'a\u2029b', 'a\u0085b'],
  ['^ and $ of lines', '^(b|c)+$', 'a\rb\rc', 'a\u2028b', 'a\r\nb\r\n', 'a\u0085b', 'a\nb'],
  ['$ of the text', '(a|b)+$', 'a\n', 'ab', 'a\r'],
  ['case folding', '(ſ|k|ß|İ|ı|σ|ǆ|µ)+', 'S', 'K', '\u212a', 'ẞ', 'SS', 'i', 'I', 'ς', 'Σ', 'ǅ', 'μ', 'Μ'],
  ['case folding of classes', '[^a-s](?:x|[A-z])+', 'ſX', 'T_', 'Sx', 'tK'],
  ['halves of surrogate pairs', '^(.|x)+?$', '😀', '\ud83d', '\ude00a'],
  ['a class of a surrogate pair', '([😀]|x)+', '😁', '\ude00', '😀'],
  ['a quantified surrogate pair', '(?:😀+|x)+', '😀😀', '😀\ude00\ude00'],
  ['\\p without the flag u', '(p{L}|x)+', 'é', 'p{L}', 'pL'],
  ['groups that a repetition forgets', '((a)|b)+', 'ab', 'ba', 'aab'],
  ['groups of alternatives', '(?:(a)|(b)|(c))+', 'abc', 'ab', 'ca'],
  ['optional groups', '(z)((a+)?(b+)?(c))*', 'zaacbbbcac'],
  ['empty repetitions', '(a*)*', 'b', 'aab', ''],
  ['mandatory empty repetitions', '(a*)+', 'b', 'aab'],
  ['nested empty repetitions', '(?:(a*)*b?)*c', 'aabac', 'c', 'bbc'],
  ['a preferred empty alternative', '(|a)*b', 'aab', 'b'],
  ['a preferred empty alternative, repeated', '(|a)+', 'aa', ''],
  ['lazy repetitions', '(a|b)+?(b*?)$', 'abbb', 'ab'],
  ['an empty class', 'a[]|(b)+', 'a', 'bb'],
  ['any character', '(a[^])+', 'a\n', 'a\u2028a😀'],
  ['control characters and escapes', String.raw`(\cJ|\x41|\u0042|\0|[\b])+`, '\n', 'AB\0\b'],
  ['escapes of letters without meaning', '(a|e|y|-|z)+', 'ae', 'y-z'],
  ['a backslash before c', String.raw`(\c@|[\c_]|[\c])+`, '\\c@', '\u001f', 'c'],
  ['octal escapes', String.raw`(\101|\7|\8)+`, 'A\u00078'],
  ['brackets and braces without meaning', '(]|{|}|a{|x{,2})+', 'a{}]', 'x{,2}'],
];

for (const [kind, source, ...texts] of meanings) {
  t.test(`one meaning of a regular expression, JavaScript's: ${kind}`, async (t) => {
    for (const flags of ['g', 'gi', 'gm', 'gim']) {
      const regexp = new RegExp(source, flags);
      const expected = texts.map((text) => outcomeOfRegExp(regexp, text));
      for (const engine of [new LinearEngine(regexp), engineOf(regexp)]) {
        t.strictSame(
          texts.map((text) => outcomeOf(engine, text)),
          expected,
          flags,
        );
      }
    }
  });
}

/** Older versions of V8 do not know modifiers. */
function modifiable(source: string, flags: string): RegExp {
  return Object.defineProperties(/x/, { source: { value: source }, flags: { value: flags } });
}

t.test('flags of a group hold within it', async (t) => {
  // Not compared with V8, which loses them where it merges alternatives.
  const cases: [source: string, text: string, isMatch: boolean][] = [
    ['(?i:x|[a])+b', 'Ab', true],
    ['(?i:x|[a])+b', 'AB', false],
    ['(?s:.|x)+b', '\nb', true],
    ['(?:(?m:^a)|x)+$', 'b\na', true],
    ['(?:(?-i:a)|x)+', 'A', false],
  ];
  for (const [source, text, isMatch] of cases) {
    const flags = source.includes('-i') ? 'i' : '';
    const regexp = modifiable(source, flags);
    t.equal(new LinearEngine(regexp).test(unmetered, text), isMatch, source);
  }
});

t.test('a regular expression means the same compiled and isolated', async (t) => {
  const calls = meanings.flatMap(([, source, ...texts]) =>
    texts.map((text) => `($r := /${source}/im; $r(${JSON.stringify(text)}).[match, start, end, $string(groups)])`),
  );
  const list = `[${calls.map((call) => `[${call}]`).join(', ')}]`;
  const limits = { timeoutMs: patience(30_000), maxDepth: 5000 };
  const compiled = compileFilter(list, { limits });
  t.equal(compiled.mode, 'compiled');
  const isolated = compileFilter(`($f := function($n){ $n = 0 ? ${list} : $f($n - 1) }; $f(1))`, { limits });
  t.teardown(() => isolated.close());
  t.equal(isolated.mode, 'isolated');
  const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  t.strictSame(json(await unlessTurnedAway(() => isolated.evaluate({}))), json(compiled.evaluate({})));
});

t.test('a regular expression without linear time is refused with its place', async (t) => {
  const refused: [literal: string, what: string][] = [
    ['/(?<y>x)\\k<y>/', 'a back reference, \\k<y>'],
    ['/(b)\\1/', 'a back reference, \\1'],
    ['/a(?=b)/', 'a lookahead, (?=b)'],
    ['/a(?!b)+/', 'a lookahead, (?!b)'],
    ['/(?<=a)b/', 'a lookbehind, (?<=a)'],
    ['/(?<!a)b/', 'a lookbehind, (?<!a)'],
    ['/((a{100}){100}){100}/', 'too large'],
    ['/(a+){1,99999999}/', 'a count above 1000'],
  ];
  for (const [literal, what] of refused) {
    const error: unknown = t.throws(() => compileFilter(`$contains(a, ${literal})`), { name: 'ExpressionError' });
    if (!(error instanceof ExpressionError)) continue;
    const [problem] = error.problems;
    t.equal(problem?.offset, 13, literal);
    t.ok(problem?.message.includes(what), `${literal}: ${problem?.message}`);
  }
});

t.test('a regular expression that is searched for again continues behind its match', async (t) => {
  const evaluate = (expression: string): unknown => JSON.parse(JSON.stringify(compileFilter(expression).evaluate({})));
  t.strictSame(evaluate('$match("a\u00a0b\u00a0c", /(?:\\s|x)+/).index'), [1, 3]);
  t.equal(evaluate('$replace("😀😀", /(?:\ud83d\ude00|x)+?/, "-")'), '--');
  t.strictSame(evaluate('$split("a\rb\u2028c", /(?:^|x)+[bc]/m)'), ['a\r', '\u2028', '']);
  t.throws(() => evaluate('$match("ab", /(?:x*|y)+/)'), { code: 'D1004' });
});
