import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import {
  basicFiles,
  configFolder,
  durable,
  gatewayFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import { arraysBody, floodRuns } from '../support/memory-flood.ts';
import type { Answer } from '../support/send.ts';
import { until } from '../support/until.ts';

const kibibyte = 1024;
const limit = 8 * kibibyte * kibibyte;
const server = { bodyLimit: '64KiB', memory: '8MiB' };
const body = arraysBody(60 * kibibyte);

/** An agent that answers once its `answer` is called. */
async function patientAgent(t: Test) {
  const held: ServerResponse[] = [];
  let output: string | undefined;
  const send = (response: ServerResponse, text: string): void => {
    response.setHeader('content-type', 'application/json').end(text);
  };
  const url = await listen(t, (request, response) => {
    request.resume();
    if (output === undefined) held.push(response);
    else send(response, output);
  });
  return {
    url: `${url}/`,
    held,
    /** Answers everything from now on. */
    answer(text = '"done"') {
      output = text;
      for (const response of held.splice(0)) send(response, text);
    },
    /** Keeps who comes from now on waiting. */
    hold() {
      output = undefined;
    },
  };
}

interface Held {
  readonly limit: number;
  readonly total: number;
  readonly of: (kind: string) => number;
}

async function held({ adminUrl }: TestGateway): Promise<Held> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const kinds = new Map(
    [...text.matchAll(/^pullcord_memory_bytes\{kind="([a-z]+)"\} ([0-9.e+]+)$/gm)].map(([, kind = '', bytes]) => [
      kind,
      Number(bytes),
    ]),
  );
  return {
    limit: Number(/^pullcord_memory_limit_bytes ([0-9.e+]+)$/m.exec(text)?.[1]),
    total: [...kinds.values()].reduce((sum, bytes) => sum + bytes, 0),
    of: (kind) => kinds.get(kind) ?? Number.NaN,
  };
}

/** Resolves when nothing holds memory any more. */
async function nothingHeld(gateway: TestGateway): Promise<void> {
  await until(async () => (await held(gateway)).total === 0);
}

async function storedRuns({ adminUrl }: TestGateway, state = ''): Promise<number> {
  const query = state === '' ? '' : `&state=${state}`;
  const { runs } = Object(await (await fetch(`${adminUrl}/runs?limit=1000${query}`)).json());
  return runs.length;
}

const slow = (url: string, members: object = {}) =>
  triggerFile('slow', { run: { uses: 'http', with: { url } }, respond: { uses: 'accepted' }, ...members });

t.test('beyond server.memory requests are answered 503, nothing is stored, and runs that end make room', async (t) => {
  const agent = await patientAgent(t);
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server, engine: durable }),
    'slow.yaml': slow(agent.url),
  });
  t.equal((await held(gateway)).limit, limit);
  const answers: Answer[] = [];
  while (answers.at(-1)?.status !== 503) answers.push(await gateway.fire('slow', undefined, { raw: body }));
  const refused = answers.at(-1);
  t.match(refused?.body, { code: 'unavailable' });
  t.match(refused?.headers.get('retry-after'), /^[0-9]+$/);
  t.ok(answers.length > 3, `${answers.length} requests`);
  t.ok(answers.slice(0, -1).every(({ status }) => status === 202));
  t.equal(await storedRuns(gateway), answers.length - 1, 'runs are stored for accepted requests alone');
  const { total, of } = await held(gateway);
  t.ok(total <= limit && of('runs') > limit / 2 && of('requests') === 0, `${total} bytes`);
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  t.match(metrics, /outcome="unavailable",reason="server\.memory is used up"\} 1$/m);
  t.ok(gateway.log.some(({ fields }) => Object(fields).reason === 'server.memory is used up'));
  t.equal((await gateway.fire('slow', { small: 1 })).status, 202, 'a small request still fits');

  agent.answer();
  await nothingHeld(gateway);
  t.equal((await gateway.fire('slow', undefined, { raw: body })).status, 202);
  await nothingHeld(gateway);
});

t.test('queued runs wait for memory before they are executed, and a reload changes the limit', async (t) => {
  const agent = await patientAgent(t);
  const runs = 12;
  const limited = (concurrency: number) =>
    slow(agent.url, { run: { uses: 'http', with: { url: agent.url }, concurrency } });
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server, engine: durable }),
    'slow.yaml': limited(1),
  });
  for (let count = 0; count < runs; count += 1) {
    t.equal((await gateway.fire('slow', undefined, { raw: body })).status, 202);
  }
  t.ok((await held(gateway)).total < limit / 2, 'what is queued takes none');

  const { revision } = gateway.gateway;
  await writeInto(gateway.root, 'slow.yaml', limited(runs));
  await until(() => gateway.gateway.revision !== revision);
  agent.answer();
  agent.hold();
  await until(() => agent.held.length >= 4);
  const { total } = await held(gateway);
  t.ok(total > limit / 2 && total <= limit, `${total} bytes`);
  t.ok(agent.held.length < runs - 1, `${agent.held.length} runs are executed at once`);
  agent.answer();
  await until(async () => (await storedRuns(gateway, 'succeeded')) === runs);
  await nothingHeld(gateway);

  await writeInto(
    gateway.root,
    'gateway.yaml',
    gatewayFile({ server: { ...server, memory: '5MiB' }, engine: durable }),
  );
  await until(async () => (await held(gateway)).limit === 5 * kibibyte * kibibyte);
});

/** A webhook whose body has not arrived completely, and what it is answered. */
function beginWebhook(port: number, key: string, from: string) {
  const socket: Socket = connect(port, '127.0.0.1');
  const begun = { socket, answer: '' };
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (text: string) => {
    begun.answer += text;
  });
  const head = [
    `POST /api/v1.0/project/support/trigger/${key} HTTP/1.1`,
    'host: x',
    'content-type: application/json',
    'x-hub-signature-256: sha256=00',
    `x-forwarded-for: ${from}`,
    `content-length: ${60 * kibibyte}`,
    '',
    '',
  ];
  socket.write(`${head.join('\r\n')}${' '.repeat(50 * kibibyte)}`);
  return begun;
}

t.test('bodies of unknown senders have a small share of the memory, per address too', async (t) => {
  const auth = { uses: 'signature', with: { scheme: 'github', secrets: [{ env: 'HOOK_SECRET' }] } };
  process.env.HOOK_SECRET = 'secret of the hook';
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server: { ...server, trustProxy: true }, engine: durable }),
    'hook.yaml': triggerFile('hook', { auth }),
    'fast.yaml': triggerFile('fast'),
  });
  const { port } = gateway.gateway.address;
  const isRefused = ({ answer }: { answer: string }): boolean => answer.startsWith('HTTP/1.1 503 ');
  const share = limit / 8;

  const ofOne = Array.from({ length: 20 }, () => beginWebhook(port, 'hook', '203.0.113.7'));
  await until(() => ofOne.filter(isRefused).length === 18);
  t.match(ofOne.find(isRefused)?.answer, /retry-after: [0-9]+\r\n.*"code":"unavailable"/is);
  const one = (await held(gateway)).of('unauthenticated');
  t.ok(one > 0 && one <= share / 8, `one address holds ${one} bytes`);
  const unknown = beginWebhook(port, 'no-such-trigger', '203.0.113.7');
  await until(() => isRefused(unknown));
  const bodyOf = ({ answer }: { answer: string }) => /\{.*\}/.exec(answer)?.[0].replace(/"requestId":"[^"]*"/, '');
  t.equal(
    bodyOf(unknown),
    bodyOf(ofOne.find(isRefused) ?? unknown),
    'the answer does not reveal whether a trigger exists',
  );

  const ofNetwork = Array.from({ length: 4 }, (_, index) => beginWebhook(port, 'hook', `2001:db8:0:1::${index + 1}`));
  await until(() => ofNetwork.filter(isRefused).length === 2);

  const ofMany = Array.from({ length: 60 }, (_, index) => beginWebhook(port, 'hook', `198.51.100.${index + 1}`));
  await until(() => ofMany.filter(isRefused).length >= 40);
  const all = (await held(gateway)).of('unauthenticated');
  t.ok(all > share / 2 && all <= share, `all addresses hold ${all} bytes`);
  t.equal((await gateway.fire('fast', { small: true })).status, 200, 'a caller with a key is served meanwhile');
  t.equal((await gateway.fire('fast', undefined, { raw: body })).status, 200, 'with a large body too');

  for (const { socket } of [...ofOne, unknown, ...ofNetwork, ...ofMany]) socket.destroy();
  await nothingHeld(gateway);
});

t.test('a body without a declared length takes memory as it arrives', async (t) => {
  const agent = await patientAgent(t);
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server, engine: durable }),
    'slow.yaml': slow(agent.url),
  });
  const socket = connect(gateway.gateway.address.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    'POST /api/v1.0/project/support/trigger/slow HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n' +
      `x-api-key: ${secrets.website}\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  const chunk = `2000\r\n${' '.repeat(0x2000)}\r\n`;
  for (let count = 1; count <= 3; count += 1) {
    socket.write(chunk);
    await until(async () => (await held(gateway)).of('requests') >= count * 0x2000);
  }
  socket.destroy();
  await nothingHeld(gateway);
});

t.test(
  'nothing stays accounted for after refusals, aborts, cancellations, timeouts, retries and cut streams',
  async (t) => {
    const agent = await patientAgent(t);
    const run = { uses: 'http', with: { url: agent.url } };
    const missing = {
      uses: 'http',
      with: { url: `${await listen(t, (_request, response) => response.writeHead(500).end())}/` },
    };
    const gateway = await startTestGateway(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ server, engine: durable }),
      'slow.yaml': slow(agent.url),
      'waits.yaml': triggerFile('waits', { run, respond: { uses: 'wait', with: { timeout: '60s' } } }),
      'brief.yaml': triggerFile('brief', { run: { ...run, timeout: '1s' } }),
      'retried.yaml': triggerFile('retried', { run: { ...missing, retry: { attempts: 3, backoff: '10ms' } } }),
      'streamed.yaml': triggerFile('streamed', { run, respond: { uses: 'stream' } }),
      'filtered.yaml': triggerFile('filtered', { filter: 'false' }),
      'once.yaml': triggerFile('once', { dedup: 'body' }),
      'echo.yaml': triggerFile('echo'),
    });
    const statuses = async (key: string, options = {}) =>
      (await gateway.fire(key, { text: 'x'.repeat(1000) }, options)).status;
    t.equal(await statuses('echo'), 200);
    t.equal(await statuses('echo', { secret: 'pc_wrong' }), 401);
    t.equal(await statuses('echo', { raw: '{"a":' }), 400);
    t.equal(await statuses('echo', { raw: `{"a":"${'x'.repeat(70 * kibibyte)}"}` }), 413);
    t.equal(await statuses('filtered'), 400);
    t.equal(await statuses('once'), 200);
    t.equal(await statuses('once'), 400);
    t.equal(await statuses('brief'), 502);
    t.equal(await statuses('retried'), 502);

    const leaving = new AbortController();
    const url = `${gateway.url}/api/v1.0/project/support/trigger`;
    const headers = { 'x-api-key': secrets.website, 'content-type': 'application/json' };
    const left = fetch(`${url}/waits`, { method: 'POST', headers, body, signal: leaving.signal }).catch(() => 'left');
    const streamed = await fetch(`${url}/streamed`, { method: 'POST', headers, body, signal: leaving.signal });
    await until(() => agent.held.length >= 3);
    t.ok((await held(gateway)).of('replies') > 0, 'an open stream is accounted for');
    leaving.abort();
    t.equal(await left, 'left');
    await streamed.text().catch(() => {});

    const cancelled = await gateway.fire('slow', undefined, { raw: body });
    const { statusUrl } = cancelled.body;
    await fetch(`${gateway.url}${statusUrl}`, { method: 'DELETE', headers });
    agent.answer(JSON.stringify('x'.repeat(100_000)));
    await nothingHeld(gateway);
  },
);

t.test(
  'the memory engine accounts for what it keeps, and forgets finished runs to keep within the budget',
  async (t) => {
    const agent = await patientAgent(t);
    const gateway = await startTestGateway(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ server }),
      'slow.yaml': slow(agent.url),
    });
    agent.answer();
    for (let count = 0; count < 20; count += 1) {
      t.equal((await gateway.fire('slow', undefined, { raw: body })).status, 202);
      await until(async () => (await held(gateway)).of('runs') === 0);
    }
    const { total, of } = await held(gateway);
    t.ok(of('stored') > 0 && total <= limit, `${of('stored')} bytes of ${limit}`);
    const stored = await storedRuns(gateway);
    t.ok(stored > 0 && stored < 20, `${stored} runs are kept`);
  },
);

t.test('a gateway with a small heap survives slow runs of bodies that take many times their bytes', async (t) => {
  const root = await configFolder(t, {});
  const { statuses, saysWhen, beside, after } = await floodRuns({
    root,
    heapMb: 96,
    requests: 120,
    bodyBytes: 256 * kibibyte,
  });
  t.ok(Number(statuses[202]) > 0 && Number(statuses[503]) > 0, JSON.stringify(statuses));
  t.strictSame(Object.keys(statuses), ['202', '503']);
  t.ok(saysWhen);
  t.equal(beside, 200);
  t.equal(after, 202);
});
