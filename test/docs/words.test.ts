import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { findTerms } from '../../docs/prose/check.ts';

const terms = [{ reject: 'serves on', write: 'keeps serving' }];

test('the prose check reports a rejected term with its line and what to write', async (t) => {
  const text = 'The old config\nserves on.\n';
  t.strictSame(findTerms('page.md', text, terms), [{ line: 2, found: 'serves on', write: 'keeps serving' }]);
});

test('the prose check accepts other words, and a term inside another word', async (t) => {
  t.strictSame(findTerms('page.md', 'It keeps serving. It observes on port 1.', terms), []);
});

test('the prose check finds a term across the lines of a comment, and in a message', async (t) => {
  const code = ["/**\n * What was there serves\n * on.\n */\nlog('it serves on');\n", '// it serves\n  // on\n'];
  const [block = '', lines = ''] = code;
  t.strictSame(
    findTerms('file.ts', block, terms).map(({ line }) => line),
    [2, 5],
  );
  t.equal(findTerms('file.ts', lines, terms).length, 1);
});

test('the prose check leaves the code of a Markdown page to where it is written', async (t) => {
  t.strictSame(findTerms('page.md', 'Logs `it serves on`:\n\n```text\nit serves on\n```\n', terms), []);
});

const root = join(import.meta.dirname, '../..');

test('the glossary has at most fifty words, in alphabetical order, each explained in one sentence', async (t) => {
  const lines = (await readFile(join(root, 'docs/glossary.md'), 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('- '));
  const words = lines.map((line) => /^- \*\*([^*]+)\*\*: /.exec(line)?.[1] ?? line);
  t.ok(words.length > 30 && words.length <= 50, `${words.length} words`);
  t.strictSame(
    words,
    words.toSorted((a, b) => a.localeCompare(b, 'en')),
  );
  for (const line of lines) t.match(line, /^[^.]+(?:\.[^ ][^.]*)*\.$/, 'one sentence');
});

test('README and CONTRIBUTING link to the glossary', async (t) => {
  for (const page of ['README.md', 'CONTRIBUTING.md']) {
    t.match(await readFile(join(root, page), 'utf8'), '](docs/glossary.md)', page);
  }
});

/** Words that the contract used for something that the glossary names otherwise. */
const bannedNames: Readonly<Record<string, RegExp>> = {
  'deltas or resume': /follow/i,
  completion: /deliver|callback(?!Message)/i,
  state: /status(?!Url)/i,
  session: /conversation/i,
  caller: /whoever|somebody/i,
  'reports, returns or emits': /told|tell(?!er)/i,
};

test('exported names of the plugin contract use the words of the glossary', async (t) => {
  const folder = join(root, 'src/contract');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const names = texts.flatMap((text) =>
    [...text.matchAll(/^export (?:type|interface|class|function|const) (\w+)/gm)].map(([, name = '']) => name),
  );
  t.ok(names.length > 50);
  for (const [word, banned] of Object.entries(bannedNames)) {
    t.strictSame(
      names.filter((name) => banned.test(name)),
      [],
      `say ${word}`,
    );
  }
});
