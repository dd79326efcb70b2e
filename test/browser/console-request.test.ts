import type { Browser } from 'playwright-core';
import t from 'tap';
import { adminToken, askAdmin } from '../support/admin.ts';
import { chromiumPath, startBrowser } from '../support/browser.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { clean, keepScreenshot, openConsole } from '../support/console.ts';
import { serveFolder, startTestGateway } from '../support/gateway.ts';
import { repositoryIn } from '../support/git.ts';
import { until } from '../support/until.ts';
import { validates } from '../support/validates.ts';

const skip = chromiumPath === undefined && 'Chromium is not installed';
const reader = adminToken('board', 'read');
const bearer = { authorization: `Bearer ${reader.secret}`, 'content-type': 'application/json' };
const files = {
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ admin: { port: 0, tokens: [reader.declared] } }),
  'triggers/refund.yaml': triggerFile('refund', {
    filter: [
      { name: 'paying customers', uses: 'jsonata', with: { expression: 'customer.plan in ["pro", "enterprise"]' } },
      {
        name: 'small amounts',
        uses: 'jsonata',
        with: { expression: 'context.amount <= 100 and $exists(instruction)' },
      },
    ],
  }),
};
const hostile = '<img src=x onerror=alert(1)>\u202e';

let started: Promise<Browser> | undefined;

/** One browser for all tests of this file. */
function chromium(): Promise<Browser> {
  started ??= startBrowser(t);
  return started;
}

/** A gateway on a git repository that has dropped a request. */
async function dropping(
  t: Parameters<typeof startTestGateway>[0],
  body: object = { customer: { plan: 'free', name: hostile }, context: { amount: 900 } },
) {
  const root = await configFolder(t, files);
  const git = await repositoryIn(root);
  const gateway = await serveFolder(t, root);
  const answer = await gateway.fire('refund', body);
  t.match(answer, { status: 400, body: { code: 'filtered' } });
  const { requests } = (await askAdmin(gateway.adminUrl, 'GET', '/requests', bearer)).body;
  return { ...gateway, id: String(requests[0].id), commit: await git('rev-parse', 'HEAD') };
}

t.test('an explanation has the conditions, and the smallest change that passes has been tried', async (t) => {
  const { adminUrl, id, fire } = await dropping(t);
  const explained = await askAdmin(adminUrl, 'GET', `/requests/${id}/explanation`, bearer);
  t.equal(explained.status, 200);
  validates(t, 'explanation', explained.body);
  t.match(explained.body, { verdict: 'dropped', by: 'paying customers', recorded: { verdict: 'dropped' } });
  const { change } = explained.body;
  t.strictSame(
    change.edits.map(({ pointer }: { pointer: string }) => pointer),
    ['/customer/plan', '/context/amount', '/instruction'],
  );
  t.equal((await fire('refund', change.body)).status, 200, 'it passes');
  t.equal((await askAdmin(adminUrl, 'GET', '/requests/absent/explanation', bearer)).status, 404);
  t.equal((await askAdmin(adminUrl, 'GET', `/requests/${id}/explanation?at=x`, bearer)).status, 400);
});

t.test('a question may be asked by any role, and a wrong one is refused with words', async (t) => {
  const { adminUrl } = await startTestGateway(t, files);
  const ask = (question: unknown) =>
    fetch(`${adminUrl}/explain`, { method: 'POST', headers: bearer, body: JSON.stringify(question) });
  const asked = await ask({ project: 'support', trigger: 'refund', body: { customer: { plan: 'pro' } } });
  t.equal(asked.status, 200);
  const explanation = await asked.json();
  validates(t, 'explanation', explanation);
  t.match(explanation, { verdict: 'dropped', by: 'small amounts' });
  for (const wrong of [
    [],
    { project: 'support' },
    { project: 'support', trigger: 'refund', bodies: {} },
    { project: 'support', trigger: 'refund', body: {}, text: '' },
    { project: 'support', trigger: 'refund', headers: { a: 1 } },
    { project: 'support', trigger: 'refund', key: 'nobody' },
  ]) {
    const refused = await ask(wrong);
    t.equal(refused.status, 400, JSON.stringify(wrong));
    t.match(await refused.json(), { code: 'bad_request', detail: /\w/ });
  }
  t.match(await (await ask({ project: 'support', trigger: 'absent' })).json(), { verdict: 'refused', stages: [] });
});

t.test(
  'from the list to why a request was dropped, which commit made it so, and what would pass',
  { skip },
  async (t) => {
    const { adminUrl, id, commit } = await dropping(t);
    for (const theme of ['light', 'dark'] as const) {
      const opened = await openConsole(await chromium(), {
        adminUrl,
        token: reader.secret,
        at: '/requests?verdict=dropped',
        theme,
      });
      const { page } = opened;
      const row = page.getByRole('row').filter({ hasText: 'paying customers' });
      await row.waitFor();
      await keepScreenshot(page, `requests-${theme}`);
      await clean(t, opened);
      await row.getByRole('link').first().focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'What decided' }).waitFor();
      t.match(page.url(), `#/requests/${id}`);
      await page.getByText(`commit ${commit.slice(0, 8)}`).waitFor();
      await page
        .getByText(/refund\.yaml:\d+/)
        .first()
        .waitFor();
      await page.getByText('customer.plan in ["pro", "enterprise"]').waitFor();
      await page.getByText('⟨U+202E⟩').first().waitFor();
      await page.getByRole('button', { name: 'Put it into the editor' }).click();
      await page.getByRole('button', { name: 'Explain' }).click();
      await page.getByRole('status').filter({ hasText: 'accepted' }).waitFor();
      await keepScreenshot(page, `request-${theme}`);
      await clean(t, opened);
    }
  },
);

t.test('a request that a wrong filter dropped is fired once, by the role operate alone', { skip }, async (t) => {
  const operator = adminToken('ops', 'operate');
  const gateway = await startTestGateway(t, {
    ...files,
    'gateway.yaml': gatewayFile({ admin: { port: 0, tokens: [operator.declared, reader.declared] } }),
  });
  const { adminUrl, fire, root } = gateway;
  t.equal((await fire('refund', { customer: { plan: 'free' } })).status, 400);
  const id = (await askAdmin(adminUrl, 'GET', '/requests', bearer)).body.requests[0].id;
  await writeInto(root, 'triggers/refund.yaml', triggerFile('refund', { filter: '$exists(customer)' }));
  await until(async () => (await fire('refund', { customer: {}, context: { at: Date.now() } })).status === 200);
  const at = `/requests/${id}`;
  const reading = await openConsole(await chromium(), { adminUrl, token: reader.secret, at });
  await reading.page.getByRole('heading', { name: 'What decided' }).waitFor();
  t.equal(await reading.page.getByRole('button', { name: 'Fire it' }).count(), 0);
  t.equal((await askAdmin(adminUrl, 'POST', `${at}/fire`, bearer)).status, 403);
  const opened = await openConsole(await chromium(), { adminUrl, token: operator.secret, at });
  const { page } = opened;
  await page.getByRole('button', { name: 'Fire it' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Fire it' }).click();
  await page.getByRole('status').filter({ hasText: 'fired' }).getByRole('link', { name: 'its run' }).waitFor();
  await clean(t, opened);
  const edited = await fetch(`${adminUrl}${at}/fire`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator.secret}`, 'content-type': 'application/json' },
    body: '{"body":{"customer":{}}}',
  });
  t.equal(edited.status, 400, 'another body than the recorded one is not ignored');
});

t.test('a body of a line of a megabyte is shown a piece at a time', { skip }, async (t) => {
  const { adminUrl, id } = await dropping(t, { customer: { plan: 'free', note: 'x'.repeat(900_000) } });
  const opened = await openConsole(await chromium(), {
    adminUrl,
    token: reader.secret,
    at: `/requests/${id}`,
    width: 360,
  });
  const { page } = opened;
  await page.getByRole('button', { name: /characters more/ }).waitFor();
  t.ok(Number(await page.evaluate("document.querySelector('.json').textContent.length")) < 10_000);
  t.equal(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'), 0);
  await keepScreenshot(page, 'request-narrow');
  await clean(t, opened);
});

t.test('the overview says what needs attention, and where nothing has happened what to do', { skip }, async (t) => {
  const { adminUrl } = await dropping(t);
  for (const theme of ['light', 'dark'] as const) {
    const opened = await openConsole(await chromium(), { adminUrl, token: reader.secret, theme });
    await opened.page.getByText('Requests dropped').waitFor();
    await opened.page.locator('.plot canvas').nth(4).waitFor();
    await opened.page.getByText('As a table').first().click();
    await opened.page.getByRole('columnheader', { name: 'dropped' }).waitFor();
    await keepScreenshot(opened.page, `overview-${theme}`);
    await clean(t, opened);
  }
  const quiet = await startTestGateway(t, files);
  const narrow = { adminUrl: quiet.adminUrl, token: reader.secret, width: 360, height: 640 };
  const opened = await openConsole(await chromium(), narrow);
  await opened.page.getByText('Nothing has arrived yet').waitFor();
  t.equal(await opened.page.evaluate('document.documentElement.scrollWidth - window.innerWidth'), 0);
  await clean(t, opened);
});
