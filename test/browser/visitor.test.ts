import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { chromiumPath, serveSite, startBrowser, visit } from '../support/browser.ts';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { patience } from '../support/patience.ts';
import { until } from '../support/until.ts';

process.env.TEST_VISITOR_SECRET = 'a secret of 32 bytes that signs tokens';
const agent = join(import.meta.dirname, '../fixtures/plugins/chatting-agent.js');

const site = (): Record<string, string> => ({
  '/': '<!doctype html><html lang="en"><title>shop</title><main></main><script type="module" src="/page.js"></script>',
  '/page.js': `
    import { PullcordClient, PullcordError, visitorCredential } from '/pullcord/client/index.ts';
    globalThis.connect = (url, trigger, sessionId) => {
      const credential = visitorCredential({ url, trigger, sessionId });
      globalThis.credential = credential;
      return new PullcordClient({ url, credential, retries: 0 });
    };
    globalThis.attempt = (promise) => promise.then(
      (value) => ({ value }),
      (error) => ({ error: error instanceof PullcordError ? error.status + ' ' + error.code : error.name }),
    );
    globalThis.chat = async (url, trigger) => {
      await import('/pullcord/chat/index.ts');
      const chat = document.createElement('pullcord-chat');
      for (const [name, value] of Object.entries({ url, trigger, visitor: '' })) chat.setAttribute(name, value);
      document.querySelector('main').append(chat);
    };
    document.title = 'ready';
  `,
});

/** A site whose visitors may call the gateway, another one, and a trigger for visitors with an agent. */
async function world(t: Test) {
  const [shop, foreign] = [await serveSite(t, site()), await serveSite(t, site())];
  const members = {
    cors: { origins: [shop] },
    auth: { uses: 'visitor', with: { work: 5_000, uses: 3 } },
    run: { uses: 'chatting' },
    respond: { uses: 'wait', with: { timeout: '1m', stream: true } },
  };
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'agent.js': await readFile(agent, 'utf8'),
    'gateway.yaml': gatewayFile({
      plugins: ['./agent.js'],
      tokens: { secrets: [{ env: 'TEST_VISITOR_SECRET' }] },
    }),
    'triggers/chat.yaml': triggerFile('chat', members),
    'triggers/keyed.yaml': triggerFile('keyed', { cors: members.cors }),
  });
  const stored = async () => {
    const { runs } = (await (await fetch(`${gateway.adminUrl}/runs`)).json()) as { runs: { state: string }[] };
    return runs;
  };
  return { api: `${gateway.url}/api/v1.0`, shop, foreign, stored };
}

/** Runs a script in the page, which knows the URL of the gateway as `url`. */
async function inPage(page: Page, api: string, script: string): Promise<unknown> {
  await until(async () => (await page.title()) === 'ready');
  return page.evaluate(`(async () => { const url = ${JSON.stringify(api)}; ${script} })()`);
}

const skip = chromiumPath === undefined && 'Chromium is not installed';

t.test('visitors without a sign-in, in Chromium', { skip }, async (t) => {
  const browser = await startBrowser(t);

  t.test('a page earns a token and fires, under a strict policy; no other visitor reads its runs', async (t) => {
    const { api, shop, stored } = await world(t);
    const { page, faults } = await visit(browser, shop);
    const fired = (await inPage(
      page,
      api,
      `const client = connect(url, 'support/chat', 'ada');
       return client.run('support/chat', { sessionId: 'ada', instruction: 'Hello' });`,
    )) as { output: string; statusUrl: string };
    t.match(fired, { status: 'succeeded', output: /Hello/ });
    t.equal((await stored()).length, 1);
    t.strictSame(faults, []);
    const other = await visit(browser, shop);
    const reading = await inPage(
      other.page,
      api,
      `const client = connect(url, 'support/chat', 'eve');
       return Promise.all(['wait', 'cancel'].map((name) => attempt(client[name](${JSON.stringify(fired.statusUrl)}))));`,
    );
    t.strictSame(reading, [{ error: '403 forbidden' }, { error: '403 forbidden' }]);
  });

  t.test('a token that is used up is replaced by another', async (t) => {
    const { api, shop, stored } = await world(t);
    const { page } = await visit(browser, shop);
    const outputs = await inPage(
      page,
      api,
      `const client = connect(url, 'support/chat', 'ada');
       const tokens = new Set();
       for (let turn = 0; turn < 4; turn += 1) {
         await client.run('support/chat', { sessionId: 'ada', instruction: 'Hello' });
         tokens.add(await credential());
       }
       return tokens.size;`,
    );
    t.equal(outputs, 2);
    t.equal((await stored()).length, 4);
  });

  t.test('a page of another origin earns nothing, nor any page for a trigger without visitors', async (t) => {
    const { api, shop, foreign, stored } = await world(t);
    const earning = async (origin: string, trigger: string) => {
      const { page } = await visit(browser, origin);
      return inPage(page, api, `return attempt(connect(url, '${trigger}', 'ada').fire('${trigger}', {}));`);
    };
    t.strictSame(await earning(foreign, 'support/chat'), { error: 'TypeError' }, 'the answer cannot be read');
    t.strictSame(await earning(shop, 'support/keyed'), { error: '401 unauthorized' });
    t.equal((await stored()).length, 0);
  });

  t.test('a chat talks for a visitor: two turns, a cancelled one, and another session', async (t) => {
    const { api, shop, stored } = await world(t);
    const { page, faults } = await visit(browser, shop);
    await inPage(page, api, `await chat(url, 'support/chat');`);
    const say = async (text: string) => {
      await page.getByRole('textbox', { name: 'Message' }).fill(text);
      await page.keyboard.press('Enter');
    };
    const answers = async (count: number) => {
      const whole = page.locator('.agent[aria-busy=false]').nth(count - 1);
      await whole.waitFor({ timeout: patience(30_000) });
      return page.locator('.agent .text').allInnerTexts();
    };
    await say('Hello');
    t.strictSame(await answers(1), ['Hello']);
    await say('remember');
    t.equal((await answers(2)).at(-1), 'Hello, remember', 'in the same session');
    await say('wait');
    await page.getByText('Thinking …').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Stopped.').waitFor();
    await until(async () => (await stored()).some(({ state }) => state === 'cancelled'));
    await page.getByRole('button', { name: 'New chat' }).click();
    await until(async () => (await page.locator('.message').count()) === 0);
    await say('remember');
    t.strictSame(await answers(1), ['remember'], 'a new session, with a token of its own');
    t.strictSame(faults, []);
  });
});
