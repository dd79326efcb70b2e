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
const bearer = { authorization: `Bearer ${reader.secret}` };
const filtered = (expression: string) =>
  triggerFile('refund', { filter: [{ name: 'plans', uses: 'jsonata', with: { expression } }] });
const files = {
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ admin: { port: 0, tokens: [reader.declared] } }),
  'triggers/refund.yaml': filtered('customer.plan = "pro"'),
};
const subject = '<script>alert(1)</script>\u202e more plans';
const shownSubject = '<script>alert(1)</script>· more plans';

let started: Promise<Browser> | undefined;

/** One browser for all tests of this file. */
function chromium(): Promise<Browser> {
  started ??= startBrowser(t);
  return started;
}

/** A gateway that has dropped a request, served another commit since, and refused a third state. */
async function changed(t: Parameters<typeof configFolder>[0]) {
  const root = await configFolder(t, files);
  const git = await repositoryIn(root);
  const gateway = await serveFolder(t, root);
  const { adminUrl, fire } = gateway;
  t.equal((await fire('refund', { customer: { plan: 'enterprise' } })).status, 400);
  const revisions = async () => (await askAdmin(adminUrl, 'GET', '/revisions', bearer)).body;
  await writeInto(root, 'triggers/refund.yaml', filtered('customer.plan in ["pro", "enterprise"]'));
  await git('commit', '-qam', subject);
  await until(
    async () => (await revisions()).served[0].subject === shownSubject && (await revisions()).served.length === 2,
  );
  await writeInto(root, 'triggers/refund.yaml', filtered('customer.plan =='));
  await until(async () => (await revisions()).refused.length === 1);
  return { ...gateway, document: await revisions(), git };
}

t.test(
  'what served and what was refused is told, with commits and diagnostics, and two revisions are compared',
  async (t) => {
    const { adminUrl, document, git } = await changed(t);
    validates(t, 'revisions', document);
    const [now, before] = document.served;
    t.match(now, {
      gitCommit: await git('rev-parse', 'HEAD'),
      subject: shownSubject,
      author: /\w/,
      servedUntil: null,
      hasFiles: true,
    });
    t.match(before, { servedUntil: /^\d/, hasFiles: true });
    t.match(document.refused, [
      { outcome: 'rejected', diagnostics: [{ file: /refund\.yaml$/, line: 1, message: /\w/ }] },
    ]);
    const plan = await askAdmin(adminUrl, 'GET', `/plan?from=${before.revision}&to=${now.revision}`, bearer);
    validates(t, 'plan', plan.body);
    t.match(plan.body, {
      changes: true,
      behaviour: { changed: 1, newlyAccepted: 1, groups: [{ trigger: 'support/refund' }] },
    });
    t.notMatch(plan.text, /pullcord-plan-/, 'without the folders in which it was made');
    for (const [query, status] of [
      ['', 404],
      [`?from=${before.revision}&to=absent`, 404],
      [`?from=${before.revision}&to=${now.revision}&more=1`, 400],
    ] as const)
      t.equal((await askAdmin(adminUrl, 'GET', `/plan${query}`, bearer)).status, status, query);
  },
);

t.test(
  'changes: from a refused reload to its line, and from two revisions to a request that gets a different verdict',
  { skip },
  async (t) => {
    const { adminUrl } = await changed(t);
    for (const theme of ['light', 'dark'] as const) {
      const opened = await openConsole(await chromium(), { adminUrl, token: reader.secret, at: '/changes', theme });
      const { page } = opened;
      await page.getByText('1 request would get a different verdict').waitFor();
      await page.getByText(shownSubject).first().waitFor();
      await page
        .getByText(/refund\.yaml:1:\d+/)
        .first()
        .waitFor();
      await keepScreenshot(page, `changes-${theme}`);
      await clean(t, opened);
      await page.getByRole('link', { name: /…$/ }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'What decided' }).waitFor();
      await page.getByText('The config that serves now is another one').waitFor();
    }
  },
);

t.test('with one revision there is nothing to compare, also on a narrow page', { skip }, async (t) => {
  const { adminUrl } = await startTestGateway(t, files);
  const opened = await openConsole(await chromium(), {
    adminUrl,
    token: reader.secret,
    at: '/changes',
    width: 360,
    height: 640,
  });
  await opened.page.getByText('With a second revision').waitFor();
  t.equal(await opened.page.evaluate('document.documentElement.scrollWidth - window.innerWidth'), 0);
  await clean(t, opened);
});
