import fc from 'fast-check';
import t from 'tap';
import { OriginSet } from '../../src/runtime/origin-set.ts';
import { parseOrigin } from '../../src/schema/origin.ts';
import { basicFiles, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import type { Answer } from '../support/send.ts';

const shop = 'https://www.example.com';
const other = 'https://other.example';
const stranger = 'https://evil.example';

const files = (): Record<string, string> => ({
  ...basicFiles(),
  'triggers/ask.yaml': triggerFile('ask', { cors: { origins: [shop, 'https://*.example.org'], maxAge: '1h' } }),
  'triggers/slow.yaml': triggerFile('slow', {
    cors: { origins: [shop] },
    run: { uses: 'echo', with: { delay: '1h' } },
    respond: { uses: 'wait', with: { timeout: '1ms' } },
  }),
  'triggers/stream.yaml': triggerFile('stream', { cors: { origins: [shop] }, respond: { uses: 'stream' } }),
  'triggers/pros.yaml': triggerFile('pros', { cors: { origins: [shop] }, filter: 'customer.plan = "pro"' }),
  'triggers/other.yaml': triggerFile('other', { cors: { origins: [other] } }),
  'triggers/closed.yaml': triggerFile('closed'),
});

const preflight = (gateway: TestGateway, key: string, origin: string, headers = 'content-type,x-api-key') =>
  gateway.fire(key, undefined, {
    method: 'OPTIONS',
    secret: null,
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': headers },
  });

/** The headers by which a browser decides. */
function corsHeaders({ status, headers }: Answer): Record<string, unknown> {
  const names = [...headers.keys()].filter((name) => name.startsWith('access-control-') || name === 'vary');
  return { status, ...Object.fromEntries(names.map((name) => [name, headers.get(name)])) };
}

t.test('a preflight of a declared origin is answered before auth, and alike at every address', async (t) => {
  const gateway = await startTestGateway(t, files());
  const answered = corsHeaders(await preflight(gateway, 'ask', shop));
  t.strictSame(answered, {
    status: 204,
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    'access-control-allow-origin': shop,
    'access-control-expose-headers': 'Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id',
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-allow-headers': 'content-type,x-api-key',
    'access-control-max-age': '600',
  });
  for (const key of ['other', 'closed', 'unknown', 'ask/run/01a22c27-86e3-7877-8642-ff6e5961f207']) {
    t.strictSame(corsHeaders(await preflight(gateway, key, shop)), answered, key);
  }
  const refused = corsHeaders(await preflight(gateway, 'ask', stranger));
  t.strictSame(refused, { status: 204, vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers' });
  for (const key of ['closed', 'unknown'])
    t.strictSame(corsHeaders(await preflight(gateway, key, stranger)), refused, key);
});

t.test('a preflight repeats no header that is none', async (t) => {
  const gateway = await startTestGateway(t, files());
  for (const headers of ['a b', 'x-api-key;', `x-${'a'.repeat(3000)}`, '']) {
    t.equal(
      (await preflight(gateway, 'ask', shop, headers)).headers.get('access-control-allow-headers'),
      null,
      headers,
    );
  }
});

t.test('OPTIONS without the headers of a preflight is answered as before', async (t) => {
  const gateway = await startTestGateway(t, files());
  t.equal((await gateway.fire('ask', undefined, { method: 'OPTIONS', secret: null })).status, 401);
  t.equal((await gateway.fire('ask', undefined, { method: 'OPTIONS', headers: { origin: shop } })).status, 405);
});

t.test('pages of an allowed origin may read every answer: results, streams, runs and errors', async (t) => {
  const gateway = await startTestGateway(t, files());
  const from = (origin: string, more: object = {}) => ({ headers: { origin }, ...more });
  const waited = await gateway.fire('slow', { a: 1 }, from(shop));
  const runPath = `/run/${waited.body.runId}`;
  const cases: readonly (readonly [string, number, Answer])[] = [
    ['result', 200, await gateway.fire('ask', { a: 1 }, from(shop))],
    ['subdomain', 200, await gateway.fire('ask', { a: 1 }, from('https://a.b.example.org'))],
    ['wait', 408, waited],
    ['stream', 200, await gateway.fire('stream', { a: 1 }, from(shop))],
    ['run', 200, await gateway.fire('slow', undefined, from(shop, { method: 'GET', path: runPath }))],
    ['cancel', 200, await gateway.fire('slow', undefined, from(shop, { method: 'DELETE', path: runPath }))],
    ['dropped', 400, await gateway.fire('pros', { customer: { plan: 'free' } }, from(shop))],
    ['invalid', 400, await gateway.fire('ask', undefined, from(shop, { raw: '{' }))],
    ['unauthorized', 401, await gateway.fire('ask', { a: 1 }, from(shop, { secret: 'pc_wrong' }))],
    ['forbidden', 403, await gateway.fire('ask', { a: 1 }, from(shop, { secret: secrets.untriggering }))],
    ['unknown', 404, await gateway.fire('unknown', { a: 1 }, from(shop))],
    ['method', 405, await gateway.fire('ask', { a: 1 }, from(shop, { method: 'PUT' }))],
    ['too large', 413, await gateway.fire('ask', undefined, from(shop, { raw: ' '.repeat(2 ** 21) }))],
    [
      'media type',
      415,
      await gateway.fire('ask', undefined, { raw: 'a', headers: { origin: shop, 'content-type': 'image/png' } }),
    ],
  ];
  for (const [name, status, answer] of cases) {
    const { origin = shop } = name === 'subdomain' ? { origin: 'https://a.b.example.org' } : {};
    t.equal(answer.status, status, name);
    t.equal(answer.headers.get('access-control-allow-origin'), origin, name);
    t.match(answer.headers.get('vary'), /\bOrigin\b/, name);
    t.match(answer.headers.get('access-control-expose-headers'), /Location/, name);
    t.equal(answer.headers.get('access-control-allow-credentials'), null, name);
  }
});

t.test('pages of other origins may read nothing, also if another trigger allows them', async (t) => {
  const gateway = await startTestGateway(t, files());
  for (const [key, origin] of [
    ['ask', stranger],
    ['ask', other],
    ['closed', shop],
    ['ask', 'null'],
    ['ask', 'http://www.example.com'],
    ['ask', 'https://www.example.com:8443'],
    ['ask', 'https://example.org'],
    ['ask', 'https://evil.example/.example.org'],
    ['ask', `${shop}, ${stranger}`],
  ] as const) {
    const answer = await gateway.fire(key, { a: 1 }, { headers: { origin } });
    t.equal(answer.status, 200);
    t.strictSame(corsHeaders(answer), { status: 200, vary: 'Origin' }, `${key} from ${origin}`);
  }
});

t.test(
  'whether a trigger exists is not seen in the CORS headers of what is answered without a credential',
  async (t) => {
    const gateway = await startTestGateway(t, files());
    for (const origin of [shop, other, stranger]) {
      const answers = await Promise.all(
        ['ask', 'other', 'closed', 'unknown'].map((key) =>
          gateway.fire(key, { a: 1 }, { secret: null, headers: { origin } }),
        ),
      );
      t.equal(new Set(answers.map((answer) => JSON.stringify(corsHeaders(answer)))).size, 1, origin);
    }
  },
);

t.test('without `cors` anywhere, no answer varies by origin and a preflight needs a credential', async (t) => {
  const gateway = await startTestGateway(t, { ...basicFiles(), 'triggers/closed.yaml': triggerFile('closed') });
  t.strictSame(corsHeaders(await preflight(gateway, 'closed', shop)), { status: 401 });
  t.strictSame(corsHeaders(await gateway.fire('closed', {}, { headers: { origin: shop } })), { status: 200 });
});

t.test('`cors` is inherited from the gateway, and a trigger replaces it as a whole', async (t) => {
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ defaults: { cors: { origins: ['*'] } } }),
    'triggers/a.yaml': triggerFile('a'),
    'triggers/b.yaml': triggerFile('b', { cors: { origins: [shop] } }),
  });
  const read = async (key: string) =>
    (await gateway.fire(key, {}, { headers: { origin: stranger } })).headers.get('access-control-allow-origin');
  t.equal(await read('a'), stranger);
  t.equal(await read('b'), null);
});

t.test('an entry of `origins` is what a browser sends, and nothing else', (t) => {
  for (const good of [
    '*',
    shop,
    'http://localhost:5173',
    'https://*.example.com',
    'capacitor://localhost',
    'https://[::1]:8443',
  ]) {
    t.ok(parseOrigin(good), good);
  }
  for (const bad of [
    ...['www.example.com', 'https://www.example.com/', 'https://www.example.com:443', 'HTTPS://www.example.com'],
    ...[
      'https://*',
      'https://*.com',
      'https://www.*.com',
      'https://user@www.example.com',
      'null',
      '',
      'https://münchen.example',
    ],
  ]) {
    t.notOk(parseOrigin(bad), bad);
  }
  t.end();
});

t.test('a subdomain pattern matches host names below its own, never anything else', (t) => {
  const set = new OriginSet(['https://*.example.com']);
  fc.assert(
    fc.property(fc.webUrl({ validSchemes: ['http', 'https'] }), (url) => {
      const { origin, hostname, protocol, port } = new URL(url);
      return set.has(origin) === (protocol === 'https:' && port === '' && hostname.endsWith('.example.com'));
    }),
  );
  fc.assert(fc.property(fc.stringMatching(/^[a-z0-9-]{1,20}$/), (label) => set.has(`https://${label}.example.com`)));
  for (const wrong of [
    'https://example.com',
    'https://aexample.com',
    'https://a.example.com.evil',
    'https://.example.com',
  ]) {
    t.notOk(set.has(wrong), wrong);
  }
  t.end();
});
