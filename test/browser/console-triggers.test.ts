import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import type { Browser } from 'playwright-core';
import t from 'tap';
import { parseDocument } from 'yaml';
import { replaceScalar } from '../../src/config/edit/edit-text.ts';
import { unifiedDiff } from '../../src/config/edit/unified-diff.ts';
import { adminToken, askAdmin } from '../support/admin.ts';
import { chromiumPath, startBrowser } from '../support/browser.ts';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile } from '../support/config-folder.ts';
import { clean, keepScreenshot, openConsole } from '../support/console.ts';
import { serveFolder, startTestGateway } from '../support/gateway.ts';
import { repositoryIn } from '../support/git.ts';
import { validates } from '../support/validates.ts';

const skip = chromiumPath === undefined && 'Chromium is not installed';
const run = promisify(execFile);
const reader = adminToken('board', 'read');
const bearer = { authorization: `Bearer ${reader.secret}`, 'content-type': 'application/json' };
const refund = `# of the shop
version: 1
kind: Trigger
project: support
name: "<b>Refund</b>"
key: refund
run: { uses: http, with: { url: 'http://127.0.0.1:1/a?token=hidden', headers: { authorization: Bearer hidden } } }
filter:
  # who pays
  - name: paying customers
    uses: jsonata
    with: { expression: customer.plan = "pro" } # soon enterprise too
tests:
  - name: pro
    body: { customer: { plan: pro } }
    expect: { verdict: accepted }
`;
const short = `version: 1
kind: Trigger
project: support
name: Short
key: short
run: { uses: echo }
filter: |
  customer.plan = "pro"
  and $exists(instruction)
`;
const files = {
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ admin: { port: 0, tokens: [reader.declared] } }),
  'triggers/refund.yaml': refund,
  'triggers/short.yaml': short,
};

let started: Promise<Browser> | undefined;

/** One browser for all tests of this file. */
function chromium(): Promise<Browser> {
  started ??= startBrowser(t);
  return started;
}

async function inRepository(t: Parameters<typeof configFolder>[0]) {
  const root = await configFolder(t, files);
  const git = await repositoryIn(root);
  const gateway = await serveFolder(t, root);
  const ask = async (path: string, body: unknown) => {
    const answer = await fetch(`${gateway.adminUrl}${path}`, {
      method: 'POST',
      headers: bearer,
      body: JSON.stringify(body),
    });
    // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
    return { status: answer.status, body: (await answer.json()) as any };
  };
  return { ...gateway, root, git, ask };
}

t.test('the triggers are listed page by page, with the lines they come from', async (t) => {
  const { adminUrl } = await startTestGateway(t, files);
  const first = await askAdmin(adminUrl, 'GET', '/triggers?limit=1', bearer);
  validates(t, 'triggers', first.body);
  t.ok(first.body.next);
  const all = (await askAdmin(adminUrl, 'GET', '/triggers', bearer)).body.triggers;
  const rest = await askAdmin(adminUrl, 'GET', `/triggers?after=${encodeURIComponent(first.body.next)}`, bearer);
  t.strictSame([...first.body.triggers, ...rest.body.triggers], all);
  t.equal((await askAdmin(adminUrl, 'GET', '/triggers?text=REFUND', bearer)).body.triggers.length, 1);
  const one = await askAdmin(adminUrl, 'GET', '/triggers/support/REFUND', bearer);
  t.match(one.body, {
    provenance: /refund\.yaml:\d+$/,
    tests: 1,
    stages: [
      { stage: 'auth', level: 'gateway' },
      { stage: 'filter', name: 'paying customers', level: 'trigger', provenance: /refund\.yaml:10$/ },
      {
        stage: 'run',
        uses: 'http',
        with: { url: 'http://127.0.0.1:1/a?token=***', headers: { authorization: '***' } },
      },
      { stage: 'respond' },
    ],
  });
  for (const [path, status] of [
    ['/triggers/support/absent', 404],
    ['/triggers?limit=0', 400],
    ['/triggers?texts=x', 400],
  ] as const)
    t.equal((await askAdmin(adminUrl, 'GET', path, bearer)).status, status, path);
});

t.test('patches apply by git, keep comments, and have their effect', async (t) => {
  const { root, git, ask } = await inRepository(t);
  for (const [path, change, expected] of [
    ['/triggers/support/refund/patch', { status: 'paused' }, /key: refund\nstatus: paused\n/],
    [
      '/triggers/support/refund/patch',
      { filter: 'paying customers', expression: 'customer.plan in ["pro", "it\'s"]' },
      /# who pays[\s\S]*expression: 'customer\.plan in \["pro", "it''s"\]' \} # soon enterprise too/,
    ],
    [
      '/triggers/support/short/patch',
      { filter: 'filter 1', expression: 'true or\nfalse' },
      /filter: "true or\\nfalse"\n$/,
    ],
  ] as const) {
    const { status, body } = await ask(path, change);
    t.equal(status, 200);
    t.equal(body.concernsOthers, false);
    await writeFile(join(root, '.git/change.patch'), body.patch);
    await git('apply', join(root, '.git/change.patch'));
    t.match(await git('show', `:${body.file}`).then(() => run('cat', [join(root, body.file)])), { stdout: expected });
    t.equal((await command(t, ['validate', '--config', root])).code, 0);
    await git('checkout', '-q', '.');
  }
  for (const wrong of [
    {},
    { status: 'off' },
    { filter: 'absent', expression: 'true' },
    { status: 'paused', more: 1 },
    [],
  ])
    t.equal((await ask('/triggers/support/refund/patch', wrong)).status, 400, JSON.stringify(wrong));
});

t.test(
  'any expression is written so that YAML reads the same, in any place, and the diff is what git makes of it',
  async (t) => {
    const texts = [
      refund,
      short,
      '{"filter": {"with": {"expression": "true"}}}',
      'a: 1\nfilter: >-\n  x\n\n# end\nb: 2',
    ];
    const paths = [['filter', 0, 'with', 'expression'], ['filter'], ['filter', 'with', 'expression'], ['filter']];
    const characters = fc.constantFrom(
      ...['a', ' ', '\n', '"', "'", ':', '#', '\\', '\t', 'ü', '\u{1f600}', '-', '>', '|', '{', ',', '%', '@'],
    );
    const expressions = fc.string({ unit: characters, maxLength: 20 });
    fc.assert(
      fc.property(fc.nat(texts.length - 1), expressions, (index, expression) => {
        const [text = '', path = []] = [texts[index], paths[index]];
        const edited = replaceScalar({ text, document: parseDocument(text) }, path, expression);
        const document = parseDocument(edited ?? '');
        t.strictSame(document.errors, []);
        t.equal(document.getIn(path), expression);
        for (const comment of text.match(/#.*/g) ?? []) t.ok(edited?.includes(comment), comment);
        const patch = unifiedDiff('a.yaml', text, edited ?? '');
        t.equal(applied(text, patch), edited);
      }),
      { numRuns: 300 },
    );
    t.equal(unifiedDiff('a', 'x\n', 'x\n'), '');
  },
);

/** Applies a patch of one hunk. */
function applied(text: string, patch: string): string {
  if (patch === '') return text;
  const [, , head = '', ...lines] = patch.split('\n');
  const [, start = ''] = /^@@ -(\d+),/.exec(head) ?? [];
  const whole = text.split('\n');
  const body: { mark: string; line: string; isLast: boolean }[] = [];
  for (const line of lines.slice(0, -1)) {
    const last = body.at(-1);
    if (line.startsWith('\\') && last !== undefined) last.isLast = true;
    else body.push({ mark: line[0] ?? '', line: line.slice(1), isLast: false });
  }
  const removed = body.filter(({ mark }) => mark !== '+');
  const added = body.filter(({ mark }) => mark !== '-');
  const from = Number(start) - 1;
  const behind = whole.slice(from + removed.length);
  const after = [...whole.slice(0, from), ...added.map(({ line }) => line), ...behind].join('\n');
  return added.at(-1)?.isLast === true || !removed.some(({ isLast }) => isLast) ? after : `${after}\n`;
}

t.test(
  'a better filter shows which recorded requests it changes, and is taken away as a patch',
  { skip },
  async (t) => {
    const { adminUrl, fire, root, git, ask } = await inRepository(t);
    for (const plan of ['free', 'enterprise', 'enterprise'])
      t.equal((await fire('refund', { customer: { plan } })).status, 400);
    const question = { project: 'support', trigger: 'refund', filter: 'paying customers' };
    const tried = await ask('/filters/try', { ...question, expression: 'customer.plan != "free"' });
    validates(t, 'filter-trial', tried.body);
    t.match(tried.body, {
      judged: 3,
      committed: { passed: 0, dropped: 3 },
      tried: { passed: 2, dropped: 1 },
      changes: [{ to: 'passed' }, {}],
    });
    t.match(await ask('/filters/try', { ...question, expression: 'customer.plan ==' }), {
      status: 400,
      body: { detail: /\w/ },
    });
    t.equal((await ask('/filters/try', { ...question, filter: 'absent', expression: 'true' })).status, 404);

    for (const theme of ['light', 'dark'] as const) {
      const opened = await openConsole(await chromium(), {
        adminUrl,
        token: reader.secret,
        at: '/triggers?text=refund',
        theme,
      });
      const { page } = opened;
      await page.getByRole('link', { name: 'support/refund' }).waitFor();
      await keepScreenshot(page, `triggers-${theme}`);
      await clean(t, opened);
      await page.getByRole('link', { name: 'support/refund' }).focus();
      await page.keyboard.press('Enter');
      await page.getByText('<b>Refund</b>').waitFor();
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByText('+status: paused').waitFor();
      await keepScreenshot(page, `trigger-${theme}`);
      await clean(t, opened);
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Try another expression' }).click();
      await page.getByText('3 recorded requests judged').waitFor();
      await page.getByLabel('JSONata over the body').fill('customer.plan in ["pro", "enterprise"]');
      await page.getByRole('button', { name: 'Try it on recorded requests' }).click();
      await page.getByText('2 requests would get a different verdict').waitFor();
      await keepScreenshot(page, `filters-${theme}`);
      await clean(t, opened);
      await page.getByRole('button', { name: 'Show the patch' }).click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Download' }).click(),
      ]);
      const path = join(root, `.git/taken-${theme}.patch`);
      await download.saveAs(path);
      await git('apply', path);
      t.equal((await command(t, ['validate', '--config', root])).code, 0);
      t.match(
        (await run('cat', [join(root, 'triggers/refund.yaml')])).stdout,
        /'customer\.plan in \["pro", "enterprise"\]' \} # soon/,
      );
      await git('checkout', '-q', '.');
    }
  },
);

t.test('triggers and filters fit into a narrow page', { skip }, async (t) => {
  const { adminUrl } = await startTestGateway(t, files);
  for (const [at, text] of [
    ['/triggers', 'support/refund'],
    ['/triggers/support/refund', 'paying customers'],
    ['/filters?trigger=support/short', 'What it would decide'],
  ] as const) {
    const opened = await openConsole(await chromium(), { adminUrl, token: reader.secret, at, width: 360, height: 640 });
    await opened.page.getByText(text).first().waitFor();
    t.equal(await opened.page.evaluate('document.documentElement.scrollWidth - window.innerWidth'), 0, at);
    await clean(t, opened);
  }
});
