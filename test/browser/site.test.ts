import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { chromiumPath, startBrowser, violations, visit } from '../support/browser.ts';
import { startCommand } from '../support/command.ts';
import { freePort } from '../support/free-port.ts';
import { patience } from '../support/patience.ts';

const skip = chromiumPath === undefined && 'Chromium is not installed';
const root = join(import.meta.dirname, '../..');
const picture = join(root, 'docs/images/example-page.png');
const size = { width: 1200, height: 660 };

/** Serves the example as `npm start` does, but on free ports. Returns the origin of its page. */
async function serveExample(t: Test): Promise<string> {
  const folder = t.testdir();
  const config = join(folder, 'config');
  await cp(join(root, 'config'), config, { recursive: true, filter: (path) => !path.endsWith('/data') });
  const [gateway, admin, site] = await Promise.all([freePort(), freePort(), freePort()]);
  const ports: Readonly<Record<string, unknown>> = { 8080: gateway, 9090: admin, 8081: site };
  for (const file of ['gateway.yaml', 'keys/site.yaml', 'projects/support/triggers/chat.yaml', 'site/index.html']) {
    const text = await readFile(join(config, file), 'utf8');
    await writeFile(
      join(config, file),
      text.replaceAll(/\b(?:8080|8081|9090)\b/g, (port) => String(ports[port])),
    );
  }
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const [, args = ''] = / && exec node src\/cli\/bin\.ts (.+)$/.exec(scripts.start) ?? [];
  const child = startCommand(t, [...args.split(' '), '--site-port', String(site)], { cwd: folder });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  createInterface(child.stderr ?? process.stdin).on('line', (line) => {
    if (!line.startsWith('{')) return reject(new Error(line));
    const { msg, url, level } = JSON.parse(line);
    if (level > 30) reject(new Error(line));
    if (msg === 'serving the site') resolve(url);
  });
  child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  return promise;
}

/** How long the first answer is whenever it has grown. */
const watchLengths = `
  globalThis.lengths = new Set();
  const log = document.querySelector('pullcord-chat').shadowRoot.querySelector('.log');
  const note = () => lengths.add(log.querySelector('.agent .text')?.innerText.length);
  new MutationObserver(note).observe(log, { subtree: true, childList: true, characterData: true });`;

/** Asks, and returns the answer once it is whole. */
async function ask(page: Page, question: string, count: number): Promise<string> {
  await page.getByRole('textbox', { name: 'Message' }).fill(question);
  await page.getByRole('button', { name: 'Send' }).click();
  const answer = page.locator('.agent').nth(count - 1);
  await answer.and(page.locator('[aria-busy=false]')).waitFor({ timeout: patience(30_000) });
  return answer.locator('.text').innerText();
}

t.test('the example page in Chromium', { skip }, async (t) => {
  // What `npm ci` has built may be older than the sources.
  const build = [
    '-p',
    'src/chat',
    '--noCheck',
    '--noEmit',
    'false',
    '--declaration',
    '--rootDir',
    '.',
    '--outDir',
    'dist',
  ];
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), build, { cwd: root });
  const site = await serveExample(t);
  const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  const browser = await startBrowser(t);

  t.test('a visitor talks to the example agent, which streams its answer', async (t) => {
    const { page, faults } = await visit(browser, site, axe);
    await page.evaluate(watchLengths);
    t.match(await ask(page, 'When are you open?', 1), /Monday to Friday, 9:00 to 17:00/);
    t.ok(Number(await page.evaluate('lengths.size')) > 5, 'in pieces');
    t.match(await ask(page, 'I want my money back', 2), /Which order/);
    t.match(await ask(page, 'order 7', 3), /Order 7 will be refunded/);
    t.equal(await page.locator('.agent strong', { hasText: '7' }).count(), 2, 'Markdown');
    t.strictSame(faults, [], 'no error of the console under the policy');
  });

  t.test('the page is the same by the name localhost', async (t) => {
    const { page, faults } = await visit(browser, site.replace('127.0.0.1', 'localhost'));
    t.match(await ask(page, 'hello', 1), /Hello!/);
    t.strictSame(faults, []);
  });

  t.test('axe-core finds nothing, light or dark, and no width overflows', async (t) => {
    const { page, faults } = await visit(browser, site, axe);
    await ask(page, 'delivery?', 1);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      t.strictSame(await page.evaluate(violations), [], colorScheme);
    }
    for (const width of [320, 375, 768, 1280, 1920, 2560]) {
      await page.setViewportSize({ width, height: 800 });
      t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), String(width));
      t.strictSame(await page.evaluate(violations), [], String(width));
    }
    t.strictSame(faults, []);
  });

  t.test('the picture in the README is one of the page (UPDATE=1 writes it)', async (t) => {
    const { page } = await visit(browser, site);
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await ask(page, 'Which plant is easy to keep?', 1);
    await ask(page, 'When do you deliver?', 2);
    await page.evaluate('document.activeElement.blur()');
    const made = await page.screenshot({ animations: 'disabled', caret: 'hide' });
    if (process.env.UPDATE === '1') {
      await mkdir(join(picture, '..'), { recursive: true });
      await writeFile(picture, made);
    }
    const committed = await readFile(picture);
    t.strictSame(dimensionsOf(committed), dimensionsOf(made));
    t.strictSame(dimensionsOf(committed), size);
    t.ok(committed.length < 150_000, `${committed.length} bytes`);
  });
});

/** Of a PNG: https://www.w3.org/TR/png-3/#11IHDR */
function dimensionsOf(png: Buffer): object {
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}
