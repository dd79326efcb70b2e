import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { chromiumPath, type SiteRoute, serveSite, startBrowser, visit } from '../support/browser.ts';
import { clientPage, connect, ready, streamed, words } from '../support/client-page.ts';
import { basicFiles, configFolder, gatewayFile, keyFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { codeBlocks } from '../support/markdown.ts';
import { storedRuns } from '../support/stored-runs.ts';
import { until } from '../support/until.ts';

process.env.TEST_PAGE_TOKEN_SECRET = 'a secret of 32 bytes that signs tokens';
process.env.PULLCORD_KEY = secrets.other;

const skip = chromiumPath === undefined && 'Chromium is not installed';
/** What of the echoed body comes from the token that the shop requests for Ada. */
const bound = '"sessionId":"chat of ada","customer":{"id":"ada","plan":"pro"}';
const forbidden = { error: '403 forbidden' };

interface Visitor {
  readonly id: string;
  readonly plan: string;
  readonly chatId: string;
}

/** A block of the docs by how it begins, for these origins. */
async function documented(begin: string, gateway: string, shop: string): Promise<string> {
  const blocks = codeBlocks(await readFile(join(import.meta.dirname, '../../docs/websites.md'), 'utf8'));
  const found = blocks.find(({ text }) => text.startsWith(begin));
  if (found === undefined) throw new Error(`docs/websites.md has no block that begins with ${begin}`);
  return found.text.replaceAll('https://agents.example.com', gateway).replaceAll('https://www.example.com', shop);
}

/**
 * A shop whose visitors have signed in there (a cookie tells who they are), other sites, and a gateway.
 * @param front what the page calls in place of the gateway
 */
async function world(t: Test, front = async (gateway: string) => gateway) {
  const files: Record<string, string | SiteRoute> = {};
  const [shop, foreign] = [await serveSite(t, files), await serveSite(t, clientPage())];
  const listed = await serveSite(t, clientPage());
  const cors = { origins: [shop, listed] };
  const respond = { uses: 'wait', with: { timeout: '30s', stream: true } };
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ tokens: { secrets: [{ env: 'TEST_PAGE_TOKEN_SECRET' }] } }),
    'keys/other.yaml': keyFile('other', { permissions: ['project.token'] }),
    'triggers/ask.yaml': triggerFile('ask', {
      ...{ cors, respond },
      run: { uses: 'echo', with: { stream: true, delay: '20ms' } },
    }),
    'triggers/other.yaml': triggerFile('other', { cors }),
    'triggers/endless.yaml': triggerFile('endless', {
      cors,
      run: { uses: 'echo', with: { delay: '1h' } },
      respond: { uses: 'accepted' },
    }),
  });
  const server = await documented('// On the server of the shop.', gateway.url, shop);
  const page = await documented('// In the page.', await front(gateway.url), shop);
  const folder = await configFolder(t, {
    'shop.mjs': `export default async (visitor) => {\n${server}\nreturn { token, expiresAt };\n};`,
  });
  const { default: requestToken }: { default: (visitor: Visitor) => Promise<object> } = await import(
    pathToFileURL(join(folder, 'shop.mjs')).href
  );
  /** What the shop hands out before it requests new tokens. */
  const handed: string[] = [];
  let requests = 0;
  Object.assign(files, clientPage(`${page}\nglobalThis.client = client;`));
  files['/chat-token'] = async ({ headers }) => {
    requests += 1;
    const token = handed.shift();
    const id = /visitor=(\w+)/.exec(headers.cookie ?? '')?.[1] ?? '';
    return token === undefined ? requestToken({ id, plan: 'pro', chatId: `chat of ${id}` }) : { token };
  };
  return { ...gateway, shop, foreign, listed, handed, requests: () => requests };
}

const signedIn = (visitor: string) => `document.cookie = 'visitor=${visitor}';`;

async function tokenOf({ fire }: TestGateway, body: object, trigger = 'ask'): Promise<string> {
  const { body: answer } = await fire(trigger, body, { secret: secrets.other, path: '/token' });
  return answer.token;
}

/** Resolves when the gateway refuses the token: until then, no run has the id that is read. */
async function untilExpired({ fire }: TestGateway, token: string, origin: string): Promise<void> {
  const read = { secret: token, method: 'GET', headers: { origin }, path: '/run/01900000-0000-7000-8000-000000000000' };
  await until(async () => (await fire('ask', undefined, read)).status === 403);
}

const fire = (page: Page, body: object, trigger = 'ask') =>
  page.evaluate(`attempt(client.fire('support/${trigger}', ${JSON.stringify(body)}))`);

t.test('short-lived tokens in Chromium', { skip }, async (t) => {
  const browser = await startBrowser(t);

  t.test('a page fires, streams and waits with the tokens that its shop requests, as the docs show it', async (t) => {
    const { shop, requests } = await world(t);
    const { page, faults } = await visit(browser, shop, signedIn('ada'));
    await ready(page);
    t.match(await fire(page, { question: 1 }), { value: { status: 'succeeded', output: bound } });
    const events = await streamed(page, 'support/ask', { instruction: words });
    t.equal(events.map(({ text = '' }) => text).join(''), words);
    t.ok(events.filter(({ type }) => type === 'delta').length > 1, 'in pieces');
    t.match(events.at(-1), { type: 'done' });
    const waited = await page.evaluate(`client
      .fire('support/ask', { question: 2 }, { headers: { prefer: 'respond-async' } })
      .then((run) => client.wait(run).then((ended) => ({ accepted: run.status, ended })))`);
    t.match(waited, { accepted: 'running', ended: { status: 'succeeded', output: bound } });
    t.equal(requests(), 1, 'the page has kept its token');
    t.strictSame(faults, []);
  });

  t.test('a stream that is cut is resumed with the token: no delta is lost, none doubled', async (t) => {
    let cuts = () => 0;
    const { shop, requests } = await world(t, async (gateway) => {
      const proxy = await startCuttingProxy(t, gateway, 4);
      cuts = proxy.cuts;
      return proxy.origin;
    });
    const { page } = await visit(browser, shop, signedIn('ada'));
    await ready(page);
    const events = await streamed(page, 'support/ask', { instruction: words });
    t.ok(cuts() > 0, `cut ${cuts()} times`);
    let received = '';
    for (const { type, offset, text = '' } of events) {
      if (type !== 'delta') continue;
      t.equal(offset, received.length);
      received += text;
    }
    t.equal(received, words);
    t.equal(events.filter(({ type }) => type === 'accepted').length, 1);
    t.match(events.at(-1), { type: 'done' });
    t.equal(requests(), 1);
  });

  t.test('a page whose token has expired gets a fresh one from the shop, and is answered', async (t) => {
    const gateway = await world(t);
    const { shop, handed, requests, adminUrl } = gateway;
    const stale = await tokenOf(gateway, { origin: shop, customer: { id: 'ada' }, expiresIn: '1s' });
    await untilExpired(gateway, stale, shop);
    handed.push(stale);
    const { page } = await visit(browser, shop, signedIn('ada'));
    await ready(page);
    t.match(await fire(page, {}), { value: { status: 'succeeded', output: bound } });
    t.equal(requests(), 2);
    t.equal(await storedRuns(adminUrl), 1, 'fired once');
  });

  t.test('past its time, a token is 403 and stores nothing, though the page returns it again', async (t) => {
    const gateway = await world(t);
    const { url, shop, adminUrl } = gateway;
    const token = await tokenOf(gateway, { origin: shop, expiresIn: '1s' });
    await untilExpired(gateway, token, shop);
    const { page } = await visit(browser, shop);
    await ready(page);
    await page.evaluate(`globalThis.asked = [];
      connect('${url}/api/v1.0', (isRefused) => { asked.push(isRefused); return '${token}'; })`);
    t.strictSame(await fire(page, {}), forbidden);
    t.strictSame(await page.evaluate('asked'), [false, true]);
    t.equal(await storedRuns(adminUrl), 0);
  });

  t.test('past its uses, a token is 403 and stores nothing; the runs that it fired are read', async (t) => {
    const gateway = await world(t);
    const { url, shop, adminUrl } = gateway;
    const token = await tokenOf(gateway, { origin: shop, sessionId: 'ada', uses: 1 });
    const { page } = await visit(browser, shop);
    await connect(page, url, token);
    const first = (await fire(page, {})) as { value: { statusUrl: string } };
    t.match(first, { value: { status: 'succeeded' } });
    for (let count = 0; count < 2; count += 1) t.strictSame(await fire(page, { count }), forbidden);
    t.match(await page.evaluate(`client.wait(${JSON.stringify(first.value)})`), { status: 'succeeded' });
    t.equal(await storedRuns(adminUrl), 1);
  });

  t.test('a token is 403 on a foreign origin and for another trigger, and nothing is stored', async (t) => {
    const gateway = await world(t);
    const { url, shop, foreign, listed, adminUrl } = gateway;
    const token = await tokenOf(gateway, { origin: shop });
    const fireOn = async (origin: string, trigger?: string) => {
      const { page } = await visit(browser, origin);
      await connect(page, url, token);
      return fire(page, {}, trigger);
    };
    t.strictSame(await fireOn(listed), forbidden, 'of a page that may read the answer');
    t.strictSame(await fireOn(foreign), { error: 'TypeError' }, 'blocked by CORS');
    t.strictSame(await fireOn(shop, 'other'), forbidden);
    t.strictSame(await fireOn(shop, 'unknown'), forbidden);
    t.equal(await storedRuns(adminUrl), 0);
    t.match(await fireOn(shop), { value: { status: 'succeeded' } });
    t.equal(await storedRuns(adminUrl), 1);
  });

  t.test('a body that names another customer or session is 403, and nothing is stored', async (t) => {
    const { shop, adminUrl } = await world(t);
    const { page } = await visit(browser, shop, signedIn('ada'));
    await ready(page);
    for (const body of [
      { customer: { id: 'bob' } },
      { customer: { id: 'ada', plan: 'enterprise' } },
      { customer: { id: 'ada', role: 'admin' } },
      { sessionId: 'chat of bob' },
    ]) {
      t.strictSame(await fire(page, body), forbidden, JSON.stringify(body));
    }
    t.equal(await storedRuns(adminUrl), 0);
    t.match(await fire(page, { customer: { id: 'ada' }, sessionId: 'chat of ada' }), {
      value: { status: 'succeeded' },
    });
  });

  t.test("a page with one visitor's token neither reads nor cancels another visitor's run", async (t) => {
    const gateway = await world(t);
    const { url, shop, adminUrl } = gateway;
    const visitAs = async (sessionId: string) => {
      const { page } = await visit(browser, shop);
      await connect(page, url, await tokenOf(gateway, { origin: shop, sessionId }, 'endless'));
      return page;
    };
    const [ada, bob] = [await visitAs('ada'), await visitAs('bob')];
    const run = (await ada.evaluate(`client.fire('support/endless').then((run) => globalThis.run = run)`)) as {
      statusUrl: string;
    };
    const address = JSON.stringify(run.statusUrl);
    for (const named of ['{}', `{ sessionId: 'ada' }`, `{ sessionId: 'bob' }`]) {
      for (const call of [`wait(${address}, ${named})`, `cancel(${address}, ${named})`]) {
        t.strictSame(await bob.evaluate(`attempt(client.${call})`), forbidden, call);
      }
      t.strictSame(await bob.evaluate(`attempt(collect(client.follow(${address}, ${named})))`), forbidden, named);
    }
    t.equal(await storedRuns(adminUrl), 1);
    t.match(await ada.evaluate('client.wait(run, { timeoutMs: 1 })'), { status: 'running' });
    t.match(await ada.evaluate('client.cancel(run)'), { status: 'cancelled' });
  });
});
