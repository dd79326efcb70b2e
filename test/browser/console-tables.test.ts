import type { Browser } from 'playwright-core';
import t from 'tap';
import { adminToken, askAdmin } from '../support/admin.ts';
import { chromiumPath, startBrowser } from '../support/browser.ts';
import { basicFiles, gatewayFile, keyFile, secrets, triggerFile } from '../support/config-folder.ts';
import { clean, keepScreenshot, openConsole } from '../support/console.ts';
import { startTestGateway } from '../support/gateway.ts';
import { validates } from '../support/validates.ts';

const skip = chromiumPath === undefined && 'Chromium is not installed';
const operator = adminToken('ops', 'operate');
const reader = adminToken('board', 'read', { expires: '2030-01-01' });
const bearer = ({ secret }: { secret: string }) => ({
  authorization: `Bearer ${secret}`,
  'content-type': 'application/json',
});

const soon = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
const files = {
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ admin: { port: 0, tokens: [operator.declared, reader.declared] } }),
  'keys/website.yaml': keyFile('website', { triggers: ['support/ask'] }),
  'keys/reader.yaml': keyFile('reader', {
    secrets: [{ hash: `sha256:${'a'.repeat(64)}`, expires: soon, note: '<img src=x onerror=alert(1)>' }],
  }),
  'triggers/ask.yaml': triggerFile('ask', {
    limits: [
      { runs: '9/1d', per: 'customer.id', name: 'daily' },
      { runs: '1/1d', mode: 'shadow', name: 'shadowed' },
    ],
  }),
};

let started: Promise<Browser> | undefined;

/** One browser for all tests of this file. */
function chromium(): Promise<Browser> {
  started ??= startBrowser(t);
  return started;
}

const hostile = '\u202e<script>alert(1)</script>';

async function busyGateway(t: Parameters<typeof startTestGateway>[0]) {
  const gateway = await startTestGateway(t, files);
  for (const id of ['ada', 'ada', hostile]) {
    const answer = await gateway.fire('ask', { customer: { id } });
    t.equal(answer.status, 200);
  }
  return gateway;
}

t.test('/keys and /limits answer as their schemas say, without secrets, and know no parameters', async (t) => {
  const { adminUrl } = await busyGateway(t);
  const keys = await askAdmin(adminUrl, 'GET', '/keys', bearer(reader));
  validates(t, 'keys', keys.body);
  const { website, reader: unused } = Object.fromEntries(keys.body.keys.map((key: { id: string }) => [key.id, key]));
  t.match(website, {
    triggers: ['support/ask'],
    lastUsedAt: /^\d{4}-/,
    secrets: [{ name: 'secrets[0]', lastUsedAt: /^\d{4}-/ }],
  });
  t.match(unused, { lastUsedAt: null, secrets: [{ expiresAt: `${soon}T00:00:00.000Z`, lastUsedAt: null }] });
  t.match(keys.body.adminTokens, [
    { id: 'ops', role: 'operate' },
    { id: 'board', expiresAt: '2030-01-01T00:00:00.000Z' },
  ]);
  t.notMatch(keys.text, new RegExp(`sha256|${'a'.repeat(64)}|${secrets.website}|${operator.secret}`));
  t.equal((await askAdmin(adminUrl, 'GET', '/keys?id=website', bearer(reader))).status, 400);
  validates(t, 'limits', (await askAdmin(adminUrl, 'GET', '/limits', bearer(reader))).body);
});

t.test('keys: when each was used last, what it may reach, and what expires soon', { skip }, async (t) => {
  const { adminUrl } = await busyGateway(t);
  for (const theme of ['light', 'dark'] as const) {
    const opened = await openConsole(await chromium(), { adminUrl, token: reader.secret, at: '/keys', theme });
    const { page } = opened;
    const row = page.getByRole('row').filter({ hasText: 'website' });
    await row.getByText('project.trigger in project support').waitFor();
    await row.getByText('only support/ask').waitFor();
    t.equal(await row.getByText('not since then').count(), 0);
    const expiring = page.getByRole('row').filter({ hasText: 'days left' }).filter({ hasText: 'reader' });
    t.match(await expiring.textContent(), /<img src=x onerror=alert\(1\)>.*! expiring.*2 days left/);
    await page.getByRole('row').filter({ hasText: 'board' }).getByText('read').first().waitFor();
    await keepScreenshot(page, `keys-${theme}`);
    await clean(t, opened);
  }
});

t.test('limits: used and left by value, and a reset that the role operate alone is offered', { skip }, async (t) => {
  const { adminUrl } = await busyGateway(t);
  const reading = await openConsole(await chromium(), { adminUrl, token: reader.secret, at: '/limits', theme: 'dark' });
  await reading.page.getByRole('row').filter({ hasText: 'ada' }).getByText('2 (22.2 %)').waitFor();
  await reading.page.getByText('⟨U+202E⟩<script>').waitFor();
  t.equal(await reading.page.getByRole('button', { name: 'Reset' }).count(), 0);
  t.match(await reading.page.getByRole('group', { name: 'What shadowed has counted' }).textContent(), /✗ 0 left/);
  const reset = await askAdmin(adminUrl, 'POST', '/limits/reset?limit=daily', bearer(reader));
  t.match(reset, { status: 403, body: { code: 'forbidden', role: 'operate' } });
  await keepScreenshot(reading.page, 'limits-dark');
  await clean(t, reading);

  const opened = await openConsole(await chromium(), { adminUrl, token: operator.secret, at: '/limits' });
  const { page } = opened;
  await page.getByRole('button', { name: 'Reset ada' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Reset a limit' }).getByText('for ada').waitFor();
  await clean(t, opened);
  await page.getByRole('button', { name: 'Reset it' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('row').filter({ hasText: 'ada' }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Reset ⟨U+202E⟩' }).waitFor();
  t.pass('others keep what they have counted');
  await opened.go('/limits?text=daily');
  await page.getByRole('heading', { name: 'shadowed' }).waitFor({ state: 'detached' });
  await keepScreenshot(page, 'limits-light');
});

t.test('nodes, on a narrow screen too: the page never scrolls sideways', { skip }, async (t) => {
  const { adminUrl } = await busyGateway(t);
  const narrow = { adminUrl, token: reader.secret, width: 360, height: 640 };
  for (const [at, text] of [
    ['/nodes', '(answers you)'],
    ['/keys', 'website'],
    ['/limits', 'daily'],
  ] as const) {
    const opened = await openConsole(await chromium(), { ...narrow, at });
    await opened.page.getByText(text).first().waitFor();
    t.equal(await opened.page.evaluate('document.documentElement.scrollWidth - window.innerWidth'), 0, at);
    await keepScreenshot(opened.page, `${at.slice(1)}-narrow`);
    await clean(t, opened);
  }
});

t.test('without limits and keys, the views say what to do next', { skip }, async (t) => {
  const { adminUrl } = await startTestGateway(t, basicFiles());
  const opened = await openConsole(await chromium(), { adminUrl, at: '/limits' });
  await opened.page.getByText('No limits are declared').waitFor();
  await clean(t, opened);
});
