import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { basicFiles, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const trusting = { server: { trustProxy: true } };
const page = 'https://example.com';
const base = '/api/v1.0/project/support/trigger';

function files(gateway: { server: object } = trusting): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile(gateway),
    'triggers/echo.yaml': triggerFile('echo', { cors: { origins: [page] } }),
    'triggers/picky.yaml': triggerFile('picky', { filter: 'customer.plan = "pro"' }),
    'triggers/stream.yaml': triggerFile('stream', { respond: { uses: 'stream' } }),
    'triggers/failing.yaml': triggerFile('failing', {
      run: { uses: 'command', with: { argv: ['sh', '-c', 'exit 3'] } },
    }),
    'triggers/limited.yaml': triggerFile('limited', { limits: [{ requests: '1/1h' }] }),
    'triggers/small.yaml': triggerFile('small', { body: { limit: '1KiB' } }),
    'triggers/graph.yaml': triggerFile('graph', {
      auth: { uses: 'signature', with: { scheme: 'microsoft-graph', secrets: [{ env: 'FIND_GRAPH' }] } },
    }),
  };
}

process.env.FIND_GRAPH = 'a secret of the sender';

/** What is sent as raw HTTP to a listener, and the whole answer. */
async function raw(url: string, sent: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(sent);
  return text(socket);
}

interface Kind {
  readonly status: number;
  readonly request: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isAdmin?: boolean;
}

const json = { 'x-api-key': secrets.website, 'content-type': 'application/json' };

const kinds: Readonly<Record<string, Kind>> = {
  run: { status: 200, request: `POST ${base}/echo`, headers: json, body: '{}' },
  'async or done': {
    status: 200,
    request: `POST ${base}/echo`,
    headers: { ...json, prefer: 'respond-async' },
    body: '{}',
  },
  stream: {
    status: 200,
    request: `POST ${base}/stream`,
    headers: { ...json, accept: 'text/event-stream' },
    body: '{}',
  },
  dropped: { status: 400, request: `POST ${base}/picky`, headers: json, body: '{}' },
  'a failed run': { status: 502, request: `POST ${base}/failing`, headers: json, body: '{}' },
  'no JSON': { status: 400, request: `POST ${base}/echo`, headers: json, body: '{' },
  'a large body': { status: 413, request: `POST ${base}/small`, headers: json, body: `"${'x'.repeat(2000)}"` },
  'another type': {
    status: 415,
    request: `POST ${base}/echo`,
    headers: { ...json, 'content-type': 'image/png' },
    body: 'x',
  },
  'no credential': { status: 401, request: `POST ${base}/echo`, body: '{}' },
  'no permission': {
    status: 403,
    request: `POST ${base}/echo`,
    headers: { ...json, 'x-api-key': secrets.untriggering },
  },
  'no trigger': { status: 404, request: `POST ${base}/nothing`, headers: json },
  'no address': { status: 404, request: 'GET /nothing', headers: json },
  'a bad address': { status: 400, request: `GET ${base}/%zz`, headers: json },
  'another method': { status: 405, request: `PUT ${base}/echo`, headers: json },
  'no run': { status: 404, request: `GET ${base}/echo/run/nothing`, headers: json },
  'a completion': { status: 401, request: `POST ${base}/echo/run/nothing/completion`, headers: json, body: '{}' },
  'a token': { status: 403, request: `POST ${base}/echo/token`, headers: json, body: '{}' },
  'a preflight': {
    status: 204,
    request: `OPTIONS ${base}/echo`,
    headers: { origin: page, 'access-control-request-method': 'POST' },
  },
  'a page': { status: 200, request: `POST ${base}/echo`, headers: { ...json, origin: page }, body: '{}' },
  'a handshake': { status: 200, request: `POST ${base}/graph?validationToken=1` },
  'an expectation': { status: 417, request: `POST ${base}/echo`, headers: { ...json, expect: 'miracles' } },
  CONNECT: { status: 400, request: 'CONNECT example.com:443' },
  'a body that is no longer HTTP': {
    status: 400,
    request: `POST ${base}/echo`,
    headers: { ...json, 'transfer-encoding': 'chunked' },
    body: 'zz\r\n',
  },
  liveness: { status: 200, request: 'GET /livez', isAdmin: true },
  metrics: { status: 200, request: 'GET /metrics', isAdmin: true },
  'no admin address': { status: 404, request: 'GET /nothing', isAdmin: true },
  'a bad admin address': { status: 400, request: 'GET /runs/%zz', isAdmin: true },
  'an admin change by a form': { status: 403, request: 'POST /config/reload', isAdmin: true },
  'no admin run': { status: 404, request: 'GET /runs/nothing', isAdmin: true },
};

async function answerTo(gateway: TestGateway, kind: Kind, id: string): Promise<string> {
  const { request, headers = {}, body, isAdmin } = kind;
  const isFramed = body !== undefined && headers['transfer-encoding'] === undefined;
  const lines = Object.entries({ host: '127.0.0.1', connection: 'close', 'x-request-id': id, ...headers });
  if (isFramed) lines.push(['content-length', String(Buffer.byteLength(body))]);
  const head = [`${request} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
  return raw(isAdmin ? gateway.adminUrl : gateway.url, `${head}\r\n\r\n${body ?? ''}`);
}

const idIn = (answer: string) => /^x-request-id: (.+)$/im.exec(answer)?.[1]?.trim();
const statusIn = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

t.test('every kind of answer has the X-Request-Id of a trusted proxy, and errors and the log repeat it', async (t) => {
  const gateway = await startTestGateway(t, files());
  for (const [index, [name, kind]] of Object.entries(kinds).entries()) {
    const id = `proxy/${index}:a.b_c~d+e=`;
    const answer = await answerTo(gateway, kind, id);
    t.equal(statusIn(answer), kind.status, `${name}: ${answer.slice(0, 200)}`);
    t.equal(idIn(answer), id, name);
    if (kind.status < 400) continue;
    t.match(answer, `"requestId":"${id}"`, name);
    if (kind.isAdmin !== true)
      t.ok(
        gateway.log.some(({ fields }) => Object(fields).requestId === id),
        `${name} is in the log`,
      );
  }
  const readable = await answerTo(gateway, kinds['a page'] as Kind, 'of-a-page');
  t.match(readable, /access-control-expose-headers:[^\n]*X-Request-Id/i);
});

t.test('an id of a peer that is not trusted, or of another form, is replaced', async (t) => {
  const gateway = await startTestGateway(t, files());
  const other = await startTestGateway(t, files({ server: { trustProxy: ['192.0.2.1'] } }));
  const kind = kinds.run as Kind;
  t.match(idIn(await answerTo(other, kind, 'of-the-caller')), /^(?!of-the-caller)[\w-]{8,}$/);
  t.equal(idIn(await answerTo(gateway, kind, 'x'.repeat(128))), 'x'.repeat(128));
  for (const wrong of ['', 'x'.repeat(129), 'a b', 'a,b', 'ä', '"a"', '<a>', 'a;b', 'a\tb', 'a%0a']) {
    t.match(idIn(await answerTo(gateway, kind, wrong)), /^[\w-]{8,64}$/, JSON.stringify(wrong));
  }
  const twice = { ...kind, headers: { ...json, 'X-Request-Id': 'second' } };
  t.match(idIn(await answerTo(gateway, twice, 'first')), /^(?!first|second)[\w-]{8,}$/, 'several are none');
});

t.test('an id that a proxy sends again and again leads to all of its requests', async (t) => {
  const gateway = await startTestGateway(t, files());
  const headers = { 'x-request-id': 'again' };
  const bodies: { readonly runId: string }[] = [];
  for (let count = 0; count < 3; count += 1) bodies.push((await gateway.fire('echo', {}, { headers })).body);
  for (let count = 0; count < 2; count += 1) await gateway.fire('picky', { count }, { headers });
  const list = async (path: string) => JSON.parse(await (await fetch(`${gateway.adminUrl}${path}`)).text());
  for (const parameter of ['request', 'requestId']) {
    const { runs } = await list(`/runs?${parameter}=again`);
    t.same(new Set(runs.map(({ runId }: { runId: string }) => runId)), new Set(bodies.map(({ runId }) => runId)));
    t.equal((await list(`/requests?${parameter}=again`)).requests.length, 2);
  }
  t.match(await list('/requests/again'), { requestId: 'again', verdict: 'dropped', body: { count: 1 } }, 'the latest');
});

t.test('each refusal of a caller has a reason in the log, without a value', async (t) => {
  const gateway = await startTestGateway(t, files());
  await gateway.fire('limited', {});
  const reasons: Readonly<Record<string, RegExp>> = {
    'no JSON': /./,
    'a large body': /1024 bytes/,
    'another type': /Content-Type is not accepted/,
    'no credential': /no credential/,
    'no permission': /permission project\.trigger not granted/,
    'no trigger': /unknown trigger/,
    'no address': /not below server\.basePath/,
    'a bad address': /percent-encoding/,
    'another method': /PUT, and only POST/,
    'no run': /no such run/,
    'a completion': /no such run/,
    'a token': /project\.token not granted/,
    'an expectation': /Expect/,
    dropped: /filter 1/,
  };
  for (const [name, reason] of Object.entries(reasons)) {
    await answerTo(gateway, kinds[name] as Kind, `reason-${name.replaceAll(' ', '-')}`);
    const line = gateway.log.find(({ fields }) => Object(fields).requestId === `reason-${name.replaceAll(' ', '-')}`);
    t.match(Object(line?.fields).reason, reason, name);
  }
  const limited = await gateway.fire('limited', {}, { headers: { 'x-request-id': 'limited' } });
  t.equal(limited.status, 429);
  const line = gateway.log.find(({ fields }) => Object(fields).requestId === 'limited');
  t.match(line?.fields, { outcome: 'rate_limited', reason: '1 requests/1h' });
});
