import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import t from 'tap';
import { chromiumPath, startBrowser, violations, visit } from '../support/browser.ts';
import { serveChat } from '../support/chat-page.ts';
import { patience } from '../support/patience.ts';
import { hostileTexts } from '../support/script-injections.ts';
import { until } from '../support/until.ts';

const skip = chromiumPath === undefined && 'Chromium is not installed';

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
}

/** The answers so far, once the last one is whole. */
async function answers(page: Page, count: number): Promise<string[]> {
  await page
    .locator('.agent[aria-busy=false]')
    .nth(count - 1)
    .waitFor({ timeout: patience(30_000) });
  return page.locator('.agent .text').allInnerTexts();
}

const overflowing = `[document.documentElement, ...document.querySelector('pullcord-chat').shadowRoot.querySelectorAll('*')]
  .filter((element) => !element.closest('.spoken') && element.tagName !== 'TEXTAREA')
  .filter(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth)
  .map(({ tagName, className }) => tagName + '.' + className)`;

const long = [
  '# Heading',
  '',
  `${'long'.repeat(200)} and **words**`,
  '',
  '```',
  'x'.repeat(500),
  '```',
  '',
  '- one',
  '  - two',
];

t.test('pullcord-chat in Chromium', { skip }, async (t) => {
  const browser = await startBrowser(t);
  const { site, adminUrl } = await serveChat(t);
  const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

  t.test('two turns and a cancelled one, by keyboard; the session is kept in the tab', async (t) => {
    const { page, faults } = await visit(browser, site);
    await say(page, 'Hello *you*');
    t.strictSame(await answers(page, 1), ['Hello you']);
    await page.getByRole('textbox').fill('remember');
    await page.keyboard.press('Shift+Enter');
    t.equal(await page.getByRole('textbox').inputValue(), 'remember\n');
    await page.keyboard.press('Enter');
    t.strictSame((await answers(page, 2)).at(-1), 'Hello you, remember');
    await say(page, 'wait');
    await page.getByText('Thinking …').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Stopped.').waitFor();
    await until(async () => {
      const { runs } = (await (await fetch(`${adminUrl}/runs`)).json()) as { runs: { state: string }[] };
      return runs.some(({ state }) => state === 'cancelled');
    });
    t.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0);
    await page.reload();
    await page.getByText('Stopped.').waitFor();
    await say(page, 'remember');
    t.equal((await answers(page, 4)).at(-1), 'Hello you, remember, remember');
    const other = await visit(browser, site);
    await say(other.page, 'remember');
    t.strictSame(await answers(other.page, 1), ['remember'], 'another tab has a session of its own');
    t.strictSame([...faults, ...other.faults], []);
  });

  t.test('a run that is under way when the page is loaded again is taken up, and stopped by the button', async (t) => {
    const { page, faults } = await visit(browser, site);
    await say(page, 'wait');
    await page.getByText('Thinking …').waitFor();
    await page.reload();
    await page.getByText('Thinking …').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped.').waitFor();
    await page.getByRole('button', { name: 'New chat' }).click();
    await until(async () => (await page.locator('.message').count()) === 0);
    t.strictSame(faults, []);
  });

  t.test('triggers that do not wait for the agent, or not long enough, are waited for and stopped too', async (t) => {
    for (const trigger of ['later', 'impatient']) {
      const { page, faults } = await visit(browser, `${site}/?trigger=support/${trigger}`);
      await say(page, 'Hello');
      t.strictSame(await answers(page, 1), ['Hello'], trigger);
      await say(page, 'wait');
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.getByText('Stopped.').waitFor();
      await say(page, 'remember');
      t.equal((await answers(page, 3)).at(-1), 'Hello, remember');
      t.strictSame(faults, []);
    }
  });

  t.test('a question of the agent is answered by the next message', async (t) => {
    const { page } = await visit(browser, site);
    await say(page, 'ask');
    t.strictSame(await answers(page, 1), ['Which order?']);
    t.equal(await page.getByText('Agent, with a question:').count(), 1);
    t.equal(await page.getByRole('textbox').getAttribute('placeholder'), 'Write your answer');
    await say(page, 'remember');
    t.equal((await answers(page, 2)).at(-1), 'ask, remember');
    t.equal(await page.getByRole('textbox').getAttribute('placeholder'), 'Write a message');
  });

  t.test('a turn that failed is tried again, whether the agent failed or the connection', async (t) => {
    const { page } = await visit(browser, site);
    await say(page, 'fail once');
    await page.getByText('That did not work. The agent is busy.').waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await until(async () => (await answers(page, 1))[0] === 'fail once');
    await page.context().setOffline(true);
    await say(page, 'Hello');
    await page.getByText('The connection failed.').waitFor();
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Try again' }).click();
    await until(async () => (await answers(page, 2))[1] === 'Hello');
    t.equal(await page.locator('.visitor').count(), 2);
  });

  t.test('nothing runs that an answer or an error contains', async (t) => {
    const { page, faults } = await visit(browser, site);
    const { host } = new URL(site);
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    const count = hostileTexts.length;
    for (const [index, text] of hostileTexts.entries()) {
      await say(page, text);
      await answers(page, index + 1);
    }
    await say(page, `fail ${hostileTexts.join(' ')}`);
    await page.getByText('That did not work.').waitFor();
    await say(page, hostileTexts.map((text) => `- ${text}\n\n> ${text}\n\n[${text}](${text})`).join('\n\n'));
    await answers(page, count + 2);
    const inside = `document.querySelector('pullcord-chat').shadowRoot`;
    t.equal(
      await page.evaluate(
        `${inside}.querySelectorAll('script, img, svg, iframe, object, embed, form form, style, math').length`,
      ),
      0,
    );
    t.strictSame(
      await page.evaluate(`[...${inside}.querySelectorAll('.log a')].filter(({ protocol, rel }) =>
        !['http:', 'https:', 'mailto:'].includes(protocol) || rel !== 'noopener noreferrer nofollow').map(String)`),
      [],
    );
    t.strictSame(
      await page.evaluate(`[...${inside}.querySelectorAll('.log *')].flatMap((element) => element.getAttributeNames())
        .filter((name) => name.startsWith('on') || name === 'style' || name === 'src')`),
      [],
    );
    for (const link of await page.locator('.log a').all())
      t.match(await link.getAttribute('href'), /^(https?|mailto):/);
    t.equal(await page.evaluate('globalThis.hacked'), undefined);
    t.strictSame(
      requested.filter((url) => !/^http:\/\/127\.0\.0\.1:/.test(url) || url.includes('evil')),
      [],
    );
    t.equal(new URL(page.url()).host, host);
    t.strictSame(faults, []);
  });

  t.test('axe-core finds nothing, in either direction; no width overflows', async (t) => {
    for (const dir of ['ltr', 'rtl']) {
      const { page, faults } = await visit(browser, `${site}/?dir=${dir}`, axe);
      await page.getByRole('textbox').waitFor();
      t.strictSame(await page.evaluate(violations), [], 'empty');
      await say(page, long.join('\n'));
      await answers(page, 1);
      await say(page, 'ask');
      await answers(page, 2);
      await say(page, `[link](https://example.com) and \`code\` \n\n> quote`);
      await answers(page, 3);
      await say(page, 'fail again');
      await page.getByText('That did not work.').waitFor();
      t.strictSame(await page.evaluate(violations), [], 'with a conversation');
      for (const width of [320, 375, 768, 1280, 1920, 2560]) {
        await page.setViewportSize({ width, height: 800 });
        t.strictSame(await page.evaluate(overflowing), [], `${dir} ${width}`);
      }
      const side = `document.querySelector('pullcord-chat').shadowRoot.querySelector('.visitor').getBoundingClientRect()`;
      await page.setViewportSize({ width: 2000, height: 800 });
      t.equal(await page.evaluate(`${side}.left > innerWidth - ${side}.right`), dir === 'ltr');
      t.strictSame(faults, []);
    }
  });

  t.test('properties that were set before the module was loaded count: strings and credential', async (t) => {
    const { page } = await visit(browser, `${site}/?late`);
    await page.getByRole('button', { name: 'Senden' }).waitFor();
    t.equal(await page.getByRole('textbox').getAttribute('placeholder'), 'Nachricht');
    await page.getByRole('textbox').fill('Hello');
    await page.getByRole('button', { name: 'Senden' }).click();
    t.strictSame(await answers(page, 1), ['Hello']);
    t.equal(await page.getByRole('button', { name: 'New chat' }).count(), 1, 'the others stay in English');
  });

  t.test('nothing moves for visitors who prefer that', async (t) => {
    const { page } = await visit(browser, site);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await say(page, 'wait');
    await page.getByText('Thinking …').waitFor();
    const animations = `document.querySelector('pullcord-chat').shadowRoot.getAnimations().length`;
    t.equal(await page.evaluate(animations), 0);
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    await until(() => page.evaluate(animations));
    await page.keyboard.press('Escape');
    await page.getByText('Stopped.').waitFor();
  });
});
