import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { type BodyReply, problem, type Reply, type StreamReply } from '../../src/contract/index.ts';
import { bodySteps, headGates } from '../../src/http/lifecycle.ts';
import { writeReply } from '../../src/http/reply.ts';
import { assertReply } from '../../src/runtime/reply.ts';
import { basicFiles, gatewayFile, keyFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { answerOf } from '../support/send.ts';

process.env.TEST_LIFECYCLE_SECRET = 'a secret of 32 bytes that signs tokens';

t.test('gates and steps', async (t) => {
  const { gateway, fire } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server: { bodyLimit: '1KiB' } }),
    'keys/other.yaml': keyFile('other', { permissions: ['project.token'] }),
    'keys/all.yaml': keyFile('all', { limits: [{ requests: '1/1h' }] }),
    'triggers/echo.yaml': triggerFile('echo', { cors: { origins: ['https://www.example.com'] } }),
  });
  const visited = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ tokens: { secrets: [{ env: 'TEST_LIFECYCLE_SECRET' }] } }),
    'triggers/echo.yaml': triggerFile('echo', {
      cors: { origins: ['https://www.example.com'] },
      auth: { uses: 'visitor' },
    }),
  });
  const { runId } = (await fire('echo', {})).body;
  await fire('echo', {}, { secret: secrets.all });
  const path = '/api/v1.0/project/support/trigger/echo';
  const host = 'Host: gateway';
  const key = `X-API-Key: ${secrets.website}`;
  const long = 'Content-Length: 999999';
  const preflight = ['Origin: https://www.example.com', 'Access-Control-Request-Method: POST'];
  const encoded = 'Transfer-Encoding: gzip, chunked';
  const answerTo = async (head: readonly string[], body = '', { address } = gateway) => {
    const socket = connect(address.port, '127.0.0.1');
    const length = head.includes(long) || head.includes(encoded) ? [] : [`Content-Length: ${body.length}`];
    socket.write(`${[...head, 'Connection: close', ...length, '', ''].join('\r\n')}${body}`);
    const received = await text(socket);
    return `${received.slice(9, 12)} ${/"code":"(\w+)"/.exec(received)?.[1] ?? ''}`.trim();
  };
  /** By step: a request that fails there, and, where one can, at the step after it. */
  const failing: Readonly<
    Record<string, { answer: string; head: readonly string[]; body?: string; at?: typeof gateway }>
  > = {
    expectation: { answer: '417 expectation_failed', head: [`POST ${path} HTTP/1.1`, 'Expect: miracles'] },
    host: { answer: '400 bad_request', head: [`POST ${path} HTTP/1.1`, long] },
    cors: { answer: '204', head: ['OPTIONS /nowhere HTTP/1.1', host, long, ...preflight] },
    length: { answer: '413 body_too_large', head: ['POST /nowhere HTTP/1.1', host, long] },
    coding: { answer: '400 bad_request', head: ['POST /nowhere HTTP/1.1', host, encoded], body: '0\r\n\r\n' },
    route: { answer: '404 not_found', head: [`GET ${path}/run/${runId}/complete HTTP/1.1`, host] },
    completion: { answer: '401 unauthorized', head: [`POST ${path}/run/${runId}/completion HTTP/1.1`, host, key] },
    visitor: {
      answer: '403 forbidden',
      head: [`GET ${path}/token HTTP/1.1`, host, 'Origin: https://evil.example'],
      at: visited.gateway,
    },
    admit: { answer: '401 unauthorized', head: [`GET ${path}/run/${runId} HTTP/1.1`, host] },
    limits: {
      answer: '429 rate_limited',
      head: [`GET ${path}/run/${runId} HTTP/1.1`, host, `X-API-Key: ${secrets.all}`],
    },
    run: { answer: '200', head: [`GET ${path}/run/${runId} HTTP/1.1`, host, key] },
    method: { answer: '405 method_not_allowed', head: [`PUT ${path} HTTP/1.1`, host, key], body: 'no JSON' },
    token: {
      answer: '409 tokens_not_configured',
      head: [`POST ${path}/token HTTP/1.1`, host, `X-API-Key: ${secrets.other}`],
      body: 'no JSON',
    },
    read: {
      answer: '415 unsupported_media_type',
      head: [`POST ${path} HTTP/1.1`, host, key, `Last-Event-ID: ${runId}.end`],
      body: 'no JSON',
    },
    resume: { answer: '204', head: [`POST ${path} HTTP/1.1`, host, key, `Last-Event-ID: ${runId}.end`] },
    fire: { answer: '200', head: [`POST ${path} HTTP/1.1`, host, key] },
  };
  const names = [...headGates, ...bodySteps].map(({ name }) => name);
  t.strictSame(Object.keys(failing), names);
  for (const [name, { answer, head, body, at }] of Object.entries(failing)) {
    await t.test(`${name} answers ${answer} before a later step decides`, async (t) => {
      t.equal(await answerTo(head, body, at), answer);
    });
  }
});

t.test('a header set by a gate is sent with every kind of response', async (t) => {
  const replies: Record<string, BodyReply | StreamReply> = {
    '/problem': problem('forbidden'),
    '/run': { status: 200, body: { status: 'succeeded' }, headers: { 'retry-after': '2' } },
    '/stream': {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      stream: (async function* () {})(),
    },
    '/own': {
      status: 200,
      headers: { 'Cache-Control': 'max-age=60' },
      stream: (async function* () {})(),
    },
  };
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', 'https://app.example');
    const reply = replies[request.url ?? ''] ?? problem('internal_error');
    writeReply(response, 'id', reply);
    if (reply.stream !== undefined) response.end();
  });
  t.teardown(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cached: Record<string, string | null> = {};
  for (const [path, { status }] of Object.entries(replies)) {
    const answer = await answerOf(await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`));
    t.equal(answer.status, status, path);
    t.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example', path);
    cached[path] = answer.headers.get('cache-control');
  }
  t.strictSame(cached, {
    '/problem': null,
    '/run': null,
    '/stream': 'no-store, no-transform',
    '/own': 'max-age=60',
  });
});

t.test('a listener on localhost answers on each of its addresses, and releases them when it closes', async (t) => {
  const { gateway } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server: { host: 'localhost' } }),
  });
  const { port } = gateway.address;
  for (const address of ['127.0.0.1', '[::1]']) {
    const answer = await fetch(`http://${address}:${port}/`).catch((error: Error) => error.cause);
    // A machine without IPv6 has no ::1.
    if (answer instanceof Response) t.equal(answer.status, 404, address);
    else t.equal(address, '[::1]');
  }
  await gateway.close();
  for (const address of ['127.0.0.1', '[::1]']) await t.rejects(fetch(`http://${address}:${port}/`), address);
});

t.test('the types of the contract refuse a reply with two contents, or with a status for run events', (t) => {
  const stream = (async function* () {})();
  const events = { run: undefined as never, timeoutMs: 1 };
  // @ts-expect-error a body and a stream
  const both: Reply = { status: 200, body: {}, stream };
  // @ts-expect-error a stream and run events
  const streams: Reply = { status: 200, stream, events };
  // @ts-expect-error the status of run events is the gateway's
  const created: Reply = { status: 201, events };
  for (const reply of [both, streams, created]) t.throws(() => assertReply(reply), /not a reply/);
  t.end();
});

t.test('a plugin cannot say where its response ends', (t) => {
  for (const name of ['Content-Length', 'content-length', 'Transfer-Encoding', 'Connection']) {
    t.throws(() => assertReply({ status: 200, body: {}, headers: { [name]: '2' } }), /is for the gateway to set/, name);
  }
  t.doesNotThrow(() => assertReply({ status: 200, body: {}, headers: { 'Content-Language': 'de' } }));
  t.end();
});
