import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { type OutboundClient, OutboundError, retryAfterMs } from '../../src/contract/index.ts';
import { createOutboundClient } from '../../src/host/outbound/client.ts';
import { OutboundGuard } from '../../src/host/outbound/guard.ts';
import { parseOutboundTarget } from '../../src/schema/outbound-target.ts';
import { basicFiles, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

async function listen(t: Test, answer: RequestListener) {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `http://127.0.0.1:${port}/` };
}

function clientOf(t: Test, allow: readonly string[] = ['127.0.0.1'], maxResponseBytes = 1000): OutboundClient {
  const targets = allow.flatMap((entry) => parseOutboundTarget(entry) ?? []);
  const client = createOutboundClient(new OutboundGuard(() => targets), { connections: 2, maxResponseBytes });
  t.teardown(() => client.close());
  return client;
}

/** What a call that cannot succeed fails with. */
async function failureOf(call: Promise<unknown>): Promise<OutboundError | undefined> {
  return call.then(
    () => undefined,
    (error: unknown) => OutboundError.from(error),
  );
}

const never = new AbortController().signal;

t.test('outbound fetch', async (t) => {
  t.test('outbound fetch sends a Request or its parts, and reuses connections', async (t) => {
    const seen: unknown[] = [];
    const { server, url } = await listen(t, async (request, response) => {
      seen.push([request.method, request.headers['x-a'], String(await buffer(request))]);
      response.end('{"ok":true}');
    });
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    const { fetch } = clientOf(t);
    const parts = { method: 'POST', headers: { 'x-a': '1' }, body: 'süß' };
    t.strictSame(await (await fetch(url, parts)).json(), { ok: true });
    await (await fetch(new URL(url), parts)).text();
    await (await fetch(new Request(url, parts))).text();
    await (await fetch(url)).text();
    t.strictSame(seen, [...Array(3).fill(['POST', '1', 'süß']), ['GET', undefined, '']]);
    t.ok(connections <= 2);
  });

  t.test('outbound fetch follows no redirect', async (t) => {
    const elsewhere = await listen(t, () => t.fail('followed'));
    const { url } = await listen(t, (_, response) => response.writeHead(307, { location: elsewhere.url }).end());
    t.equal((await clientOf(t).fetch(url, { redirect: 'follow' })).status, 307);
  });

  t.test('outbound fetch refuses a response over the limit, also when it is compressed', async (t) => {
    const answers = [
      () => ({ headers: {}, body: Buffer.alloc(1000) }),
      () => ({ headers: {}, body: Buffer.alloc(1001) }),
      () => ({ headers: { 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(50_000_000)) }),
    ];
    const { url } = await listen(t, (_, response) => {
      const { headers, body } = answers.shift()?.() ?? { headers: {}, body: Buffer.alloc(0) };
      response.writeHead(200, headers).end(body);
    });
    const { fetch } = clientOf(t);
    const read = async () => (await fetch(url)).arrayBuffer();
    t.equal((await read()).byteLength, 1000);
    t.match(await failureOf(read()), { code: 'ERR_RESPONSE_TOO_LARGE', retryable: false });
    t.match(await failureOf(read()), { code: 'ERR_RESPONSE_TOO_LARGE', retryable: false });
  });

  t.test('outbound fetch fails with a TypeError whose message names no address', async (t) => {
    const { server, url } = await listen(t, () => {});
    server.close();
    await once(server, 'close');
    const error = await clientOf(t)
      .fetch(url)
      .catch((thrown: unknown) => thrown);
    t.ok(error instanceof TypeError);
    t.match(OutboundError.from(error), { code: 'ECONNREFUSED', retryable: true });
    t.notMatch(String(OutboundError.from(error)), /127/);
    t.match(await failureOf(clientOf(t, []).fetch(url)), { code: 'ERR_OUTBOUND_FORBIDDEN', retryable: false });
  });

  t.test('outbound fetch accepts any valid HTTP response and refuses an invalid one', async (t) => {
    const answers = [
      'HTTP/1.1 200 \u00ff\u0001\r\ncontent-length: 2\r\n\r\nok',
      'HTTP/1.1 204 No\r\n\r\n',
      'HTTP/1.1 205 No\r\ncontent-length: 2\r\n\r\nok',
      'HTTP/1.1 700 Odd\r\ncontent-length: 2\r\n\r\nok',
      '220 mail.example.com\r\n\r\n',
    ];
    const server = createTcpServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end(answers.shift() ?? '', 'latin1'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const { fetch } = clientOf(t);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const read = async () => {
      const response = await fetch(url);
      return [response.status, await response.text()];
    };
    t.strictSame(await read(), [200, 'ok']);
    t.strictSame(await read(), [204, '']);
    t.strictSame(await read(), [205, '']);
    for (const _odd of answers.slice())
      t.match(await failureOf(read()), { code: 'ERR_INVALID_HTTP', retryable: false });
  });

  t.test('outbound fetch ends when its signal aborts', async (t) => {
    const { server, url } = await listen(t, () => {});
    const controller = new AbortController();
    const call = clientOf(t).fetch(url, { signal: controller.signal });
    await once(server, 'request');
    controller.abort();
    await t.rejects(call, { name: 'AbortError' });
  });
});

t.test('SSRF guard', async (t) => {
  const { port } = await listen(t, () => t.fail('reached'));
  const client = clientOf(t, ['127.0.0.1:1', '10.0.0.0/8']);
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
    'localhost',
  ]) {
    await t.test(`SSRF guard: a request to ${host} is refused`, async (t) => {
      const url = new URL(`http://${host}:${port}/`);
      const call = client.request(url, { method: 'GET', headers: {}, signal: never });
      t.equal((await failureOf(call))?.code, 'ERR_OUTBOUND_FORBIDDEN');
      t.ok(client.forbids(url));
    });
  }
  for (const host of [
    '168.63.129.16',
    '[::7f00:1]',
    '[::2]',
    '[4000::1]',
    '169.254.169.254',
    '[fe80::1]',
    '192.168.0.1',
    '100.64.0.1',
    '[64:ff9b::7f00:1]',
    '[fd00::1]',
  ])
    await t.test(`SSRF guard: the private address ${host} is forbidden`, async (t) => {
      t.ok(client.forbids(new URL(`http://${host}/`)));
    });
  for (const host of ['127.0.0.1:1', '10.1.1.1', '93.184.216.34', 'example.com', 'localhost.example.com'])
    await t.test(`SSRF guard: the public or allowed address ${host} is not forbidden`, async (t) => {
      t.notOk(client.forbids(new URL(`http://${host}/`)));
    });
});

t.test('targets of outbound.allow', (t) => {
  for (const text of [
    '10.0.0.0/8',
    '10.1.2.3',
    '10.1.2.3/32',
    'fd00::/8',
    '::1',
    'hooks.internal',
    'a.example:81',
    '[::1]:82',
  ])
    t.test(`outbound.allow accepts ${text}`, async (t) => t.ok(parseOutboundTarget(text)));
  for (const text of [
    '10/8',
    '127/8',
    '010.0.0.0/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::ffff:10.0.0.0/104',
    'fd00::/129',
  ])
    t.test(`outbound.allow refuses ${text}`, async (t) => t.equal(parseOutboundTarget(text), undefined));
  t.end();
});

t.test(
  'SSRF guard: a changed URL is checked again, and an open connection does not outlive its permission',
  async (t) => {
    const { url } = await listen(t, (_, response) => response.end('here'));
    let targets = ['127.0.0.0/8'].flatMap((entry) => parseOutboundTarget(entry) ?? []);
    const client = createOutboundClient(new OutboundGuard(() => targets), { connections: 1, maxResponseBytes: 1000 });
    t.teardown(() => client.close());
    const local = new URL(url.replace('127.0.0.1', 'localhost'));
    const call = async (to: URL) =>
      String(await (await client.request(to, { method: 'GET', headers: {}, signal: never })).bytes());
    t.equal(await call(local), 'here');
    targets = [];
    t.equal((await failureOf(call(local)))?.code, 'ERR_OUTBOUND_FORBIDDEN');
    const changing = new URL('http://example.com/');
    t.notOk(client.forbids(changing));
    changing.hostname = '127.0.0.1';
    t.ok(client.forbids(changing));
  },
);

t.test('a private agent is called only while outbound.allow names it, and validate warns otherwise', async (t) => {
  const agent = await listen(t, (_, response) => response.end('here'));
  const gateway = (allow: readonly string[]) => gatewayFile({ outbound: { allow } });
  const run = { uses: 'http', with: { url: agent.url } };
  const {
    fire,
    root,
    gateway: serving,
  } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gateway([]),
    'agent.yaml': triggerFile('agent', { run }),
  });
  const { problems } = serving.warnings;
  t.match(problems, [{ code: 'option_warning', severity: 'warning', place: { pointer: '/run/with/url' } }]);
  t.match(problems[0]?.hint, `outbound: { allow: ["127.0.0.1:${agent.port}"] }`);
  const refused = {
    status: 502,
    body: { detail: 'the address to call is not public, and outbound.allow does not name it' },
  };
  t.match(await fire('agent', {}), refused);
  for (const [allow, expected] of [
    [[`127.0.0.1:${agent.port}`], { status: 200, body: { output: 'here' } }],
    [[`127.0.0.1:${agent.port + 1}`], refused],
  ] as const) {
    await writeInto(root, 'gateway.yaml', gateway(allow));
    await serving.reloader.reload();
    t.match(await fire('agent', {}), expected, 'open connections do not survive a reload');
  }
});

t.test('Retry-After', (t) => {
  const now = Date.parse('2026-11-25T12:00:00Z');
  for (const [header, expected] of [
    ['0', 0],
    ['120', 120_000],
    ['999999999', 86_400_000],
    ['Wed, 25 Nov 2026 12:00:30 GMT', 30_000],
    ['Wed, 25 Nov 2026 11:00:00 GMT', undefined],
    ['soon', undefined],
    ['-1', undefined],
    ['', undefined],
    [undefined, undefined],
    [['1', '2'], undefined],
  ] as const) {
    t.test(
      `Retry-After: ${JSON.stringify(header)} means ${expected === undefined ? 'nothing' : `${expected} ms`}`,
      async (t) => {
        t.equal(retryAfterMs(header, now), expected);
      },
    );
  }
  t.end();
});
