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
