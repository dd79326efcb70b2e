import { hash } from 'node:crypto';
import t, { type Test } from 'tap';
import { chromiumPath, serveSite, startBrowser, visit } from '../support/browser.ts';
import { clientPage, connect, streamed, words } from '../support/client-page.ts';
import { basicFiles, triggerFile } from '../support/config-folder.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { startTestGateway } from '../support/gateway.ts';
import { storedRuns } from '../support/stored-runs.ts';

const secret = 'pcb_of_a_page_in_chromium';

/** A site with a key of its own, another site, and a gateway that both can call. */
async function world(t: Test) {
  const site = clientPage();
  const [shop, foreign, listed] = [await serveSite(t, site), await serveSite(t, site), await serveSite(t, site)];
  const cors = { origins: [shop, listed] };
  const key = {
    ...{ version: 1, kind: 'ApiKey', id: 'page', use: 'browser', origins: [shop] },
    ...{ triggers: ['support/ask', 'support/talk', 'support/endless'] },
    ...{ secrets: [{ hash: `sha256:${hash('sha256', secret)}` }] },
    ...{ permissions: ['project.trigger'], projects: ['support'], limits: [{ runs: '1000/1m' }] },
  };
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'keys/page.yaml': JSON.stringify(key),
    'triggers/ask.yaml': triggerFile('ask', { cors }),
    'triggers/other.yaml': triggerFile('other', { cors }),
    'triggers/talk.yaml': triggerFile('talk', {
      cors,
      run: { uses: 'echo', with: { stream: true, delay: '20ms' } },
      respond: { uses: 'stream' },
    }),
    'triggers/endless.yaml': triggerFile('endless', {
      cors,
      run: { uses: 'echo', with: { delay: '1h' } },
      respond: { uses: 'accepted' },
    }),
  });
  const stored = () => storedRuns(gateway.adminUrl);
  return { ...gateway, shop, foreign, listed, stored };
}

const skip = chromiumPath === undefined && 'Chromium is not installed';

t.test('pullcord/client in Chromium', { skip }, async (t) => {
  const browser = await startBrowser(t);

  t.test('fires, streams and cancels from a page on another origin, under a strict policy', async (t) => {
    const { url, shop } = await world(t);
    const { page, faults } = await visit(browser, shop);
    await connect(page, url, secret);
    t.match(await page.evaluate(`client.fire('support/ask', { sessionId: 'ada', question: 1 })`), {
      status: 'succeeded',
      output: { question: 1 },
    });
    const events = await streamed(page, 'support/talk', { sessionId: 'ada', instruction: words });
    t.equal(events.map(({ text = '' }) => text).join(''), words);
    t.ok(events.filter(({ type }) => type === 'delta').length > 1, 'in pieces');
    t.match(events.at(-1), { type: 'done' });
    t.match(
      await page.evaluate(`client.fire('support/endless', { sessionId: 'ada ü' }).then((run) => client.cancel(run))`),
      { status: 'cancelled' },
    );
    t.strictSame(faults, []);
  });

  t.test('a connection that is cut within a delta is resumed: none is lost, none doubled', async (t) => {
    const { url, shop } = await world(t);
    const proxy = await startCuttingProxy(t, url, 4);
    const { page } = await visit(browser, shop);
    await connect(page, proxy.origin, secret);
    const events = await streamed(page, 'support/talk', { sessionId: 'ada', instruction: words });
    t.ok(proxy.cuts() > 0, `cut ${proxy.cuts()} times`);
    t.equal(events.map(({ text = '' }) => text).join(''), words);
    let length = 0;
    for (const { type, offset, text = '' } of events) {
      if (type !== 'delta') continue;
      t.equal(offset, length);
      length += text.length;
    }
    t.equal(events.filter(({ type }) => type === 'accepted').length, 1);
    t.match(events.at(-1), { type: 'done' });
  });

  t.test(
    'the key of a page is of no use on another origin or for another trigger, and nothing is stored',
    async (t) => {
      const { url, shop, foreign, listed, stored } = await world(t);
      const attemptOn = async (origin: string, trigger: string) => {
        const { page } = await visit(browser, origin);
        await connect(page, url, secret);
        return page.evaluate(`attempt(client.fire('support/${trigger}', { sessionId: 'ada' }))`);
      };
      t.strictSame(await attemptOn(foreign, 'ask'), { error: 'TypeError' }, 'blocked by CORS');
      t.strictSame(await attemptOn(listed, 'ask'), { error: '403 forbidden' });
      t.strictSame(await attemptOn(shop, 'other'), { error: '403 forbidden' });
      t.equal(await stored(), 0);
      t.match(await attemptOn(shop, 'ask'), { value: { status: 'succeeded' } });
      t.equal(await stored(), 1);
    },
  );

  t.test('a request that needs no preflight stores nothing either', async (t) => {
    const { url, foreign, stored } = await world(t);
    const { page } = await visit(browser, foreign);
    const address = JSON.stringify(`${url}/api/v1.0/project/support/trigger/ask`);
    const simple = `fetch(${address}, { method: 'POST', mode: 'no-cors', body: '{"sessionId":"ada"}' })`;
    t.equal(await page.evaluate(`${simple}.then(({ type }) => type)`), 'opaque');
    t.equal(await stored(), 0);
  });

  t.test('a page neither reads nor cancels the run of another visitor', async (t) => {
    const { url, shop } = await world(t);
    const [{ page: ada }, { page: bob }] = [await visit(browser, shop), await visit(browser, shop)];
    for (const page of [ada, bob]) await connect(page, url, secret);
    const run = (await ada.evaluate(
      `client.fire('support/endless', { sessionId: 'ada' }).then((run) => globalThis.run = run)`,
    )) as { statusUrl: string };
    const address = JSON.stringify(run.statusUrl);
    for (const named of ['{}', `{ sessionId: 'bob' }`, `{ sessionId: '' }`]) {
      for (const call of ['wait', 'cancel']) {
        t.strictSame(await bob.evaluate(`attempt(client.${call}(${address}, ${named}))`), { error: '403 forbidden' });
      }
      t.strictSame(await bob.evaluate(`attempt(collect(client.follow(${address}, ${named})))`), {
        error: '403 forbidden',
      });
    }
    t.match(await ada.evaluate(`client.wait(run, { timeoutMs: 1 })`), { status: 'running' });
    t.match(await ada.evaluate(`client.cancel(run)`), { status: 'cancelled' });
  });
});
