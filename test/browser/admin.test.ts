import type { IncomingMessage } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { adminToken, askAdmin } from '../support/admin.ts';
import { chromiumPath, startBrowser } from '../support/browser.ts';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { attackOn } from '../support/hostile-page.ts';
import { listen } from '../support/listen.ts';
import { until } from '../support/until.ts';

const skip = chromiumPath === undefined && 'Chromium is not installed';
const names = ['evil.example', 'rebound.example'];
/** Foreign names that lead to this machine, as an attacker's name server would have it. */
const resolving = `--host-resolver-rules=${names.map((name) => `MAP ${name} 127.0.0.1`).join(', ')}`;
/** A browser that protects local addresses by itself would show nothing of the listener. */
const unprotected =
  '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessChecks';
const json = { 'content-type': 'application/json' };

let started: Promise<Browser> | undefined;

/** One browser for all tests of this file. */
function chromium(): Promise<Browser> {
  started ??= startBrowser(t, [resolving, unprotected]);
  return started;
}

/** Opens a page of an attacker at an origin, whatever listens there. */
async function hostilePage(browser: Browser, origin: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.route(`${origin}/page`, (route) => route.fulfill({ contentType: 'text/html', body: '<body>hello' }));
  await page.goto(`${origin}/page`);
  return page;
}

/** A listener that checks nothing: what the attacks would reach. */
async function naive(t: Test): Promise<{ target: string; changed: string[] }> {
  const changed: string[] = [];
  const target = await listen(t, (request: IncomingMessage, response) => {
    if (request.method === 'POST') changed.push(String(request.headers['content-type'] ?? 'none').split(';')[0] ?? '');
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"organization":"acme"}');
  });
  return { target, changed };
}

const tokens = [adminToken('ops', 'operate').declared];
for (const [what, admin] of Object.entries({ 'without tokens': { port: 0 }, 'with tokens': { port: 0, tokens } })) {
  const bearer = what === 'with tokens' ? { authorization: `Bearer ${adminToken('ops', 'operate').secret}` } : {};

  t.test(`a hostile page reads nothing of an admin listener ${what}, and changes nothing`, { skip }, async (t) => {
    const { adminUrl, gateway, fire } = await startTestGateway(t, {
      ...basicFiles(),
      'slow.yaml': triggerFile('slow', { run: { uses: 'echo', with: { delay: '1h' } }, respond: { uses: 'accepted' } }),
      'gateway.yaml': gatewayFile({ admin, limits: [{ runs: '9/1d', name: 'daily' }] }),
    });
    const { port } = new URL(adminUrl);
    const { runId } = (await fire('slow', { instruction: 'a secret' })).body;
    const before = gateway.reloader.last.at;
    const own = await listen(t, (_request, response) => response.end());
    const rebound = `http://rebound.example:${port}`;
    const attacks: readonly (readonly [how: string, origin: string, target: string])[] = [
      ['another origin', `http://evil.example:${new URL(own).port}`, adminUrl],
      ['another origin, by a name', `http://evil.example:${new URL(own).port}`, `http://localhost:${port}`],
      ['another port of this machine', own, adminUrl],
      ['DNS rebinding', rebound, rebound],
    ];
    const browser = await chromium();
    for (const [how, origin, target] of attacks) {
      const page = await hostilePage(browser, origin);
      const read = await page.evaluate<readonly string[]>(attackOn(target, runId));
      // A rebound page reads refusals, which say what every client may know.
      t.strictSame(
        read.filter((text) => text !== '' && !/"code":"forbidden"/.test(text)),
        [],
        how,
      );
      await page.context().close();
    }
    const { body } = await askAdmin(adminUrl, 'GET', '/runs', bearer);
    t.strictSame(
      body.runs.map((run: { runId: string; state: string }) => [run.runId, run.state]),
      [[runId, 'running']],
    );
    t.equal(gateway.reloader.last.at, before, 'nothing was reloaded');
    t.strictSame(
      (await askAdmin(adminUrl, 'GET', '/audit', bearer)).body.entries,
      [],
      'no action was as much as tried',
    );

    const own200 = async (method: string, path: string) =>
      (await askAdmin(adminUrl, method, path, { ...json, ...bearer })).status;
    t.equal(await own200('GET', '/config'), 200);
    t.equal(await own200('POST', '/config/reload'), 200);
    t.equal(await own200('POST', '/limits/reset?limit=daily'), 200);
    t.equal(await own200('POST', `/runs/${runId}/replay`), 202);
    t.equal(await own200('POST', `/runs/${runId}/cancel`), 200);
  });
}

t.test('the same page changes and reads a listener that checks nothing', { skip }, async (t) => {
  const { target, changed } = await naive(t);
  const own = await listen(t, (_request, response) => response.end());
  const browser = await chromium();
  const foreign = await hostilePage(browser, `http://evil.example:${new URL(own).port}`);
  await foreign.evaluate(attackOn(target, 'x'));
  const simple = ['none', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'];
  await until(() => simple.every((type) => changed.includes(type)));
  const rebound = `http://rebound.example:${new URL(target).port}`;
  const page = await hostilePage(browser, rebound);
  const read = await page.evaluate<readonly string[]>(attackOn(rebound, 'x'));
  t.ok(read.includes('{"organization":"acme"}'));
  t.ok(changed.includes('application/json'));
});
