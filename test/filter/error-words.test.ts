import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compileFilter, describeErrorCode, errorWords } from '../../src/filter/index.ts';

const root = join(import.meta.dirname, '../..');
const known = new Map<string, string>(Object.values(errorWords).flatMap((group) => Object.entries(group)));

/** Every JSONata code that stands in a text. */
function codesIn(text: string): readonly string[] {
  return text.match(/\b[DSTU]\d{4}\b/g) ?? [];
}

function sourcesOf(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'));
}

t.test('codes without words: every code that the filter engine or the jsonata package raises has a text', async (t) => {
  const raised = new Set([
    ...sourcesOf('src/filter').flatMap(codesIn),
    ...codesIn(readFileSync(join(root, 'node_modules/jsonata/jsonata.js'), 'utf8')),
  ]);
  t.ok(raised.size > 90, `${raised.size} codes`);
  for (const code of raised) {
    t.match(known.get(code), /^[\S ]{15,}$/, code);
    t.notMatch(known.get(code), /\{\{/, code);
  }
});

t.test('codes without words: no text contains more than its code says', async (t) => {
  t.equal(describeErrorCode('D3110'), '`$toMillis` without a picture takes only a time in the format of ISO 8601');
  t.equal(describeErrorCode('X1'), 'the evaluation failed');
  t.equal(describeErrorCode('constructor'), 'the evaluation failed');
});

t.test('codes without words: an expression that always fails is reported with its words', async (t) => {
  for (const [source, words] of [
    ['1 > "a"', /T2009: the two sides of a comparison have different types/],
    ['$sqrt(-1) > 1', /D3060: `\$sqrt` of a negative number/],
    ['$number("x") > 1', /D3030: the value cannot be converted to a number/],
  ] as const) {
    t.match(compileFilter(source).warnings, [{ message: words }], source);
  }
});
