import type { OutgoingHttpHeaders } from 'node:http';
import t, { type Test } from 'tap';
import { askAdmin as ask, tokenGateway } from '../support/admin.ts';
import { basicFiles } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { exchangeBytes } from '../support/raw-http.ts';

const deliberate = { 'content-type': 'application/json' };

type Hosts = (port: string) => Readonly<Record<string, number>>;

/** Of every listener: names that no page can own, and one that only looks like them. */
const always: Hosts = (port) => ({
  [`127.0.0.1:${port}`]: 200,
  [`localhost:${port}`]: 200,
  [`LOCALHOST:${port}`]: 200,
  localhost: 200,
  '127.8.9.10': 200,
  [`[::1]:${port}`]: 200,
  'evil.example': 403,
  [`evil.example:${port}`]: 403,
  'localhost.evil.example': 403,
  'evil.localhost': 403,
  '127.0.0.1.nip.io': 403,
  '[::1].evil.example': 403,
  '127.0.0.1@evil.example': 403,
  'localhost evil.example': 403,
  '2130706433': 403,
  '0x7f.1': 403,
});
const withoutToken: Hosts = (port) => ({
  [`10.0.0.7:${port}`]: 403,
  '[2001:db8::1]': 403,
  'pullcord.internal': 403,
});
const withToken: Hosts = (port) => ({
  [`10.0.0.7:${port}`]: 200,
  '[2001:db8::1]': 200,
  'pullcord.internal': 200,
  [`Pullcord.Internal:${port}`]: 200,
  'pullcord.internal.': 200,
  'x.pullcord.internal': 403,
});

async function checkHosts(t: Test, adminUrl: string, hosts: Hosts, authorization: OutgoingHttpHeaders): Promise<void> {
  const { port } = new URL(adminUrl);
  for (const [host, expected] of Object.entries({ ...always(port), ...hosts(port) })) {
    await t.test(`a request with the Host ${JSON.stringify(host)} gets ${expected}`, async (t) => {
      for (const path of ['/config', '/livez', '/readyz', '/metrics', '/runs', '/nothing']) {
        const answer = await ask(adminUrl, 'GET', path, { host, ...authorization });
        t.equal(answer.status, path === '/nothing' && expected === 200 ? 404 : expected, path);
        if (expected === 403) t.match(answer.body.detail, /admin\.hosts/, 'says what to configure');
      }
      const change = { host, ...deliberate, ...authorization };
      t.equal((await ask(adminUrl, 'POST', '/config/reload', change)).status, expected);
    });
  }
}

t.test('without a token the admin listener answers loopback names alone', async (t) => {
  const { adminUrl } = await startTestGateway(t, basicFiles());
  await checkHosts(t, adminUrl, withoutToken, {});
});

t.test('with a token the admin listener also answers IP addresses and the names of admin.hosts', async (t) => {
  const { secret, gateway } = tokenGateway({ hosts: ['Pullcord.internal'] });
  const { adminUrl } = await startTestGateway(t, gateway);
  await checkHosts(t, adminUrl, withToken, { authorization: `Bearer ${secret}` });
});

t.test('a request that names another host in its address, or two in Host, is refused', async (t) => {
  const { gateway } = await startTestGateway(t, basicFiles());
  const { port } = gateway.adminAddress;
  const refused = [
    'GET http://evil.example/config HTTP/1.1\r\nhost: localhost\r\n\r\n',
    'GET http://localhost/config HTTP/1.1\r\nhost: evil.example\r\n\r\n',
    'GET /config HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n',
    'GET /livez HTTP/1.0\r\n\r\n',
    'GET /livez HTTP/1.1\r\nhost: \r\n\r\n',
  ];
  for (const bytes of refused) {
    const [answer] = await exchangeBytes(port, Buffer.from(bytes), ['GET']);
    t.equal(answer?.status, 403, bytes);
  }
  const accepted = 'GET http://localhost/livez HTTP/1.1\r\nhost: localhost\r\n\r\n';
  t.equal((await exchangeBytes(port, Buffer.from(accepted), ['GET']))[0]?.status, 200);
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

t.test('a token does not let a page of another origin change anything, and needs no media type', async (t) => {
  const { secret, gateway } = tokenGateway();
  const { adminUrl } = await startTestGateway(t, gateway);
  const { host } = new URL(adminUrl);
  const authorization = `Bearer ${secret}`;
  const table: readonly (readonly [headers: OutgoingHttpHeaders, status: number])[] = [
    [{ authorization }, 200],
    [{ authorization: `bearer ${secret}` }, 200],
    [{ authorization, origin: `http://${host}` }, 200],
    // A proxy in front of the listener terminates TLS.
    [{ authorization, origin: `https://${host}` }, 200],
    [{ authorization, origin: 'https://evil.example' }, 403],
    [{ authorization, origin: 'null' }, 403],
    [{ authorization, 'sec-fetch-site': 'cross-site' }, 403],
    [{ authorization, 'sec-fetch-site': 'same-site' }, 403],
    [{ authorization, host: 'evil.example' }, 403],
    // A browser sends credentials of an address by itself.
    [{ authorization: `Basic ${Buffer.from(`x:${secret}`).toString('base64')}` }, 403],
    [{ authorization: 'Bearer wrong' }, 401],
    [{ ...deliberate }, 401],
    [{ 'content-type': 'text/plain' }, 403],
  ];
  for (const [headers, status] of table) {
    t.equal((await ask(adminUrl, 'POST', '/config/reload', headers)).status, status, JSON.stringify(headers));
  }
});

t.test('a page of another site reads nothing; a link that leads here does', async (t) => {
  const { adminUrl } = await startTestGateway(t, basicFiles());
  const { host } = new URL(adminUrl);
  const link = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const table: readonly (readonly [headers: OutgoingHttpHeaders, status: number])[] = [
    [{}, 200],
    [{ 'sec-fetch-site': 'none', ...link }, 200],
    [{ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, 200],
    [{ 'sec-fetch-site': 'same-origin', origin: `http://${host}` }, 200],
    [{ 'sec-fetch-site': 'cross-site', ...link }, 200],
    [{ 'sec-fetch-site': 'cross-site', ...link, 'sec-fetch-dest': 'iframe' }, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }, 403],
    [{ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', origin: 'https://evil.example' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
  ];
  for (const path of ['/config', '/runs', '/metrics', '/livez']) {
    for (const [headers, status] of table) {
      t.equal((await ask(adminUrl, 'GET', path, headers)).status, status, `${path} ${JSON.stringify(headers)}`);
    }
  }
});

t.test('every answer keeps other sites from reading and guessing, and none has a header of CORS', async (t) => {
  const { adminUrl } = await startTestGateway(t, basicFiles());
  const origin = { origin: 'https://evil.example' };
  const asked: readonly (readonly [method: string, path: string, headers: OutgoingHttpHeaders])[] = [
    ['GET', '/config', {}],
    ['GET', '/metrics', {}],
    ['GET', '/requests/export', {}],
    ['GET', '/audit/export', {}],
    ['GET', '/nothing', {}],
    ['GET', '/%zz', {}],
    ['GET', '/config', { host: 'evil.example' }],
    ['GET', '/config', origin],
    ['OPTIONS', '/config/reload', { ...origin, 'access-control-request-method': 'POST' }],
    ['POST', '/runs/x/cancel', deliberate],
  ];
  for (const [method, path, headers] of asked) {
    const answer = await ask(adminUrl, method, path, headers);
    const { 'cache-control': cache, 'x-content-type-options': sniffing } = answer.headers;
    const { 'cross-origin-resource-policy': policy, 'x-request-id': id } = answer.headers;
    t.strictSame([cache, sniffing, policy], ['no-store', 'nosniff', 'same-origin'], `${method} ${path}`);
    t.ok(id);
    t.strictSame(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
      [],
    );
  }
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
