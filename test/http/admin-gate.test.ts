import { once } from 'node:events';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { json } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { basicFiles, gatewayFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { exchangeBytes } from '../support/raw-http.ts';

/** Sends the headers as they are, which `fetch` does not. */
async function ask(adminUrl: string, method: string, path: string, headers: OutgoingHttpHeaders = {}) {
  const sent = request(`${adminUrl}${path}`, { method, headers, agent: false }).end();
  const [response] = await once(sent, 'response');
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
  return { status: response.statusCode, body: (await json(response)) as any };
}

const deliberate = { 'content-type': 'application/json' };

t.test('the admin listener answers no name that a web page can own', async (t) => {
  const { adminUrl } = await startTestGateway(t, basicFiles());
  const { port } = new URL(adminUrl);
  const hosts: Readonly<Record<string, number>> = {
    [`127.0.0.1:${port}`]: 200,
    [`localhost:${port}`]: 200,
    [`LOCALHOST:${port}`]: 200,
    localhost: 200,
    [`[::1]:${port}`]: 200,
    [`10.0.0.7:${port}`]: 200,
    'evil.example': 403,
    [`evil.example:${port}`]: 403,
    'localhost.evil.example': 403,
    '127.0.0.1.nip.io': 403,
    '[::1].evil.example': 403,
  };
  for (const [host, expected] of Object.entries(hosts)) {
    await t.test(`a request with the Host ${JSON.stringify(host)} gets ${expected}`, async (t) => {
      for (const path of ['/config', '/livez', '/runs', '/nothing']) {
        const { status } = await ask(adminUrl, 'GET', path, { host });
        t.equal(status, path === '/nothing' && expected === 200 ? 404 : expected, path);
      }
      t.equal((await ask(adminUrl, 'POST', '/config/reload', { host, ...deliberate })).status, expected);
    });
  }
});

t.test('a web page cannot change anything through the admin listener', async (t) => {
  const { adminUrl, gateway } = await startTestGateway(t, basicFiles());
  const { host } = new URL(adminUrl);
  const before = gateway.reloader.last.at;
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const refused: Readonly<Record<string, OutgoingHttpHeaders>> = {
    'a form of another site': { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', ...form },
    'a form of an old browser, which sends no Origin': form,
    'a form with files': { 'content-type': 'multipart/form-data; boundary=x' },
    'a form of text that looks like JSON': { 'content-type': 'text/plain' },
    'a media type that only begins like JSON': { 'content-type': 'application/jsonp' },
    'a request with no media type': {},
    'a script without CORS': { origin: 'null', 'sec-fetch-mode': 'no-cors' },
    'another origin, with JSON': { origin: 'https://evil.example', ...deliberate },
    'another port of this machine': { origin: 'http://127.0.0.1:1', ...deliberate },
    'the same address over another scheme': { origin: `https://${host}`, ...deliberate },
    'a page of the same site': { 'sec-fetch-site': 'same-site', ...deliberate },
    'a page of another site': { 'sec-fetch-site': 'cross-site', ...deliberate },
  };
  for (const [what, headers] of Object.entries(refused)) {
    await t.test(`${what} is refused`, async (t) => {
      for (const path of ['/config/reload?force=true', '/runs/x/replay', '/runs/x/cancel']) {
        t.match(await ask(adminUrl, 'POST', path, headers), { status: 403, body: { code: 'forbidden' } }, path);
      }
    });
  }
  t.equal(gateway.reloader.last.at, before, 'nothing was reloaded');
  const accepted: Readonly<Record<string, OutgoingHttpHeaders>> = {
    'a command that names JSON as its media type': deliberate,
    'a page of the listener itself': { origin: `http://${host}`, 'sec-fetch-site': 'same-origin', ...deliberate },
  };
  for (const [what, headers] of Object.entries(accepted)) {
    await t.test(`${what} may reload`, async (t) => {
      t.equal((await ask(adminUrl, 'POST', '/config/reload', headers)).status, 200);
    });
  }
});

t.test('a request with the admin token needs neither a name nor a media type', async (t: Test) => {
  process.env.PULLCORD_TEST_ADMIN_GATE = 'the-token-of-the-test';
  t.teardown(() => {
    delete process.env.PULLCORD_TEST_ADMIN_GATE;
  });
  const { adminUrl } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ admin: { port: 0, token: { env: 'PULLCORD_TEST_ADMIN_GATE' } } }),
  });
  const host = 'pullcord.internal';
  const authorization = 'Bearer the-token-of-the-test';
  t.equal((await ask(adminUrl, 'POST', '/config/reload', { host, authorization })).status, 200);
  t.equal((await ask(adminUrl, 'POST', '/config/reload', { host, authorization: 'Bearer wrong' })).status, 403);
  t.equal((await ask(adminUrl, 'POST', '/config/reload', { ...deliberate })).status, 401);
});

t.test('the admin listener answers what is no request, or has no address, with a problem', async (t) => {
  const { gateway } = await startTestGateway(t, basicFiles());
  const { port } = gateway.adminAddress;
  const requests: Readonly<Record<string, readonly [status: number, code: string]>> = {
    'GET /livez HTTP/1.1\r\n\r\n': [403, 'forbidden'],
    'GET /livez HTTP/1.1\r\nhost: localhost\r\nexpect: miracles\r\n\r\n': [200, ''],
    'GET /nothing HTTP/1.1\r\nhost: localhost\r\nexpect: miracles\r\n\r\n': [404, 'not_found'],
    'GET /%zz HTTP/1.1\r\nhost: localhost\r\n\r\n': [400, 'bad_request'],
    'GET /livez HTTP/1.1\r\n bad\r\n\r\n': [400, 'bad_request'],
    '\x16\x03\x01\0': [400, 'bad_request'],
    [`GET /livez HTTP/1.1\r\nhost: localhost\r\na: ${'x'.repeat(20_000)}\r\n\r\n`]: [431, 'headers_too_large'],
  };
  for (const [bytes, [status, code]] of Object.entries(requests)) {
    const [answer] = await exchangeBytes(port, Buffer.from(bytes, 'latin1'), ['GET']);
    t.equal(answer?.status, status, JSON.stringify(bytes.slice(0, 60)));
    if (code === '') continue;
    t.equal(answer?.headers.get('content-type'), 'application/problem+json');
    t.match(JSON.parse(answer?.body ?? ''), { status, code, requestId: String });
  }
});
