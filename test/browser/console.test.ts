import type { Browser } from 'playwright-core';
import t from 'tap';
import { adminToken, askAdmin } from '../support/admin.ts';
import { chromiumPath, startBrowser } from '../support/browser.ts';
import { basicFiles, gatewayFile } from '../support/config-folder.ts';
import { accessibilityFaults, clean, keepScreenshot, openConsole } from '../support/console.ts';
import { startTestGateway } from '../support/gateway.ts';

const skip = chromiumPath === undefined && 'Chromium is not installed';

let started: Promise<Browser> | undefined;

/** One browser for all tests of this file. */
function chromium(): Promise<Browser> {
  started ??= startBrowser(t);
  return started;
}

const operator = adminToken('ops', 'operate');
const reader = adminToken('board', 'read');
const withTokens = {
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ admin: { port: 0, tokens: [operator.declared, reader.declared] } }),
};

t.test('the page and its files need no token, are cached by their names, and carry a strict policy', async (t) => {
  const { adminUrl } = await startTestGateway(t, withTokens);
  const page = await askAdmin(adminUrl, 'GET', '/');
  t.equal(page.status, 200);
  t.match(page.headers, {
    'content-type': /^text\/html/,
    'cache-control': 'no-store',
    'content-security-policy': /default-src 'none'; script-src 'self';.*frame-ancestors 'none'.*trusted-types 'none'/,
    'x-content-type-options': 'nosniff',
  });
  t.notMatch(page.text, /<script(?![^>]* src=)|<style|style=|\son\w+=/, 'nothing is inline');
  const [script = ''] = /\/console\/index-[\w-]+\.js/.exec(page.text) ?? [];
  const loaded = await askAdmin(adminUrl, 'GET', script, { 'accept-encoding': 'gzip' });
  t.match(loaded, {
    status: 200,
    headers: {
      'content-type': /^text\/javascript/,
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
    },
  });
  t.equal((await askAdmin(adminUrl, 'GET', '/console/icon.svg')).headers['cache-control'], 'no-store');
  t.equal((await askAdmin(adminUrl, 'HEAD', '/')).status, 200);
  for (const path of ['/console/', '/console/absent.js', '/console/..%2findex.html'])
    t.equal((await askAdmin(adminUrl, 'GET', path)).status, 404, path);
  t.equal((await askAdmin(adminUrl, 'GET', '/console/%2e%2e/package.json')).status, 401, 'no way out of the folder');
  t.equal((await askAdmin(adminUrl, 'GET', '/config')).status, 401, 'what it shows needs one');
  t.equal((await askAdmin(adminUrl, 'GET', '/', { host: 'evil.example' })).status, 403);
});

t.test('who has a token signs in with it, and what the role may not do is not offered', { skip }, async (t) => {
  const { adminUrl } = await startTestGateway(t, withTokens);
  for (const { secret, id, role } of [
    { secret: operator.secret, id: 'ops', role: 'operate' },
    { secret: reader.secret, id: 'board', role: 'read' },
  ]) {
    const opened = await openConsole(await chromium(), { adminUrl, token: secret });
    await opened.page.getByText(`${id} (${role})`).waitFor();
    await opened.page.reload();
    await opened.page.getByText(`${id} (${role})`).waitFor();
    t.pass('a reload of the page keeps it');
    await opened.page.getByRole('button', { name: 'Sign out' }).click();
    await opened.page.getByLabel('Token of the admin listener').waitFor();
    t.equal(await opened.page.evaluate('sessionStorage.length'), 0, 'signing out forgets it');
    t.strictSame(
      opened.faults.filter((fault) => !/401/.test(fault)),
      [],
    );
  }
});

t.test('a wrong token is refused with words, in light and dark', { skip }, async (t) => {
  const { adminUrl } = await startTestGateway(t, withTokens);
  for (const theme of ['light', 'dark'] as const) {
    const page = await (await (await chromium()).newContext({ colorScheme: theme })).newPage();
    await page.goto(adminUrl);
    await page.getByLabel('Token of the admin listener').fill('pca_wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('not valid').waitFor();
    t.strictSame(await accessibilityFaults(page), []);
    await keepScreenshot(page, `sign-in-${theme}`);
  }
});

t.test('without tokens it opens on the machine itself, by keyboard alone', { skip }, async (t) => {
  const { adminUrl } = await startTestGateway(t, basicFiles());
  const opened = await openConsole(await chromium(), { adminUrl });
  const { page } = opened;
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.keyboard.press('Tab');
  t.equal(await page.evaluate('document.activeElement?.textContent'), 'Skip to content');
  await page.keyboard.press('Enter');
  t.equal(await page.evaluate('document.activeElement?.id'), 'content');
  for (const [key, title] of [
    ['u', 'Runs'],
    ['k', 'Keys'],
    ['n', 'Nodes'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.getByRole('heading', { name: title, level: 1 }).waitFor();
  }
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await clean(t, opened);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

t.test('a view that does not exist is named so', { skip }, async (t) => {
  const { adminUrl } = await startTestGateway(t, basicFiles());
  const { page } = await openConsole(await chromium(), { adminUrl, at: '/absent' });
  await page.getByRole('alert').getByText('no such view').waitFor();
  t.pass();
});
