import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { json } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import http from '../../plugins/run/http/index.ts';
import { basicFiles, durable, durableFiles, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { callingContext } from '../support/exchange.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { drive, runRequest } from '../support/run-plugin.ts';
import { until } from '../support/until.ts';

/** A request that the agent got, and how to answer it. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
  answer(status: number, body?: unknown, headers?: Record<string, string>): void;
}

/** An agent that answers each request as the test says, in the order in which they came. */
async function startAgent(t: Test) {
  const asked: Asked[] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request;
    const body = headers['content-type'] === undefined ? undefined : await json(request);
    asked.push({
      ...{ method, url, headers, body },
      answer(status, answered, more = {}) {
        const type = answered === undefined ? {} : { 'content-type': 'application/json' };
        response.writeHead(status, { ...type, ...more });
        response.end(answered === undefined ? undefined : JSON.stringify(answered));
      },
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  let taken = 0;
  const next = async () => {
    const index = taken++;
    return until(() => asked[index]);
  };
  return { url: `http://127.0.0.1:${port}/agent`, asked, next };
}

function agentFiles(base: Record<string, string>, url: string, options: object, more: object = {}) {
  return { ...base, 'agent.yaml': triggerFile('agent', { run: { uses: 'http', with: { url, ...options } }, ...more }) };
}

function secret(t: Test, name: string, value: string): { env: string } {
  process.env[name] = value;
  t.teardown(() => delete process.env[name]);
  return { env: name };
}

const accepted = { respond: { uses: 'accepted' } };

/** Resolves a few turns after the admin listener has closed, which is the last that a gateway without handlers waits for. */
async function lastListenerClosed({ adminUrl }: TestGateway): Promise<void> {
  await until(async () => (await fetch(`${adminUrl}/livez`).catch(() => undefined)) === undefined);
  for (let turn = 0; turn < 100; turn += 1) await nextTurn();
}

async function readRun({ url }: TestGateway, fire: TestGateway['fire'], runId: string) {
  const path = `/run/${runId}?wait=10s`;
  return (await fire('agent', undefined, { method: 'GET', path })).body ?? url;
}

t.test('maps the input to the request, and the answer to the output', async (t) => {
  const agent = await startAgent(t);
  const request = '{ "question": instruction, "who": customer.id, "trigger": $run.trigger }';
  const output = '{ "text": choices[0].text, "of": $input.customer.id, "status": $response.status }';
  const { fire } = await startTestGateway(t, agentFiles(basicFiles(), agent.url, { request, output }));
  const answering = fire('agent', { instruction: 'hi', customer: { id: 'c7' } });
  const asked = await agent.next();
  t.strictSame(asked.body, { question: 'hi', who: 'c7', trigger: 'agent' });
  asked.answer(200, { choices: [{ text: 'hello' }] });
  t.strictSame((await answering).body.output, { text: 'hello', of: 'c7', status: 200 });

  const failing = fire('agent', { instruction: 'hi' });
  (await agent.next()).answer(200, { choices: [{ text: 'x' }] });
  t.match((await failing).body, { output: { text: 'x' } }, 'what comes to nothing is left out');
});

t.test('fails when an expression fails on an answer, and reveals nothing of the answer', async (t) => {
  const agent = await startAgent(t);
  const { fire } = await startTestGateway(t, agentFiles(basicFiles(), agent.url, { output: '$number(secret)' }));
  const answering = fire('agent', {});
  (await agent.next()).answer(200, { secret: 'hunter2' });
  const { status, body, text } = await answering;
  t.match([status, body.detail], [502, /^the expression of output failed: JSONata error D3030/]);
  t.notMatch(text, /hunter2/);
});

t.test('fails, without asking the agent, if an expression makes a request that is too large', async (t) => {
  const agent = await startAgent(t);
  const request = 'items.{ "item": $, "order": $$ }';
  const { fire } = await startTestGateway(t, agentFiles(basicFiles(), agent.url, { request }));
  // Each of the objects shares the whole body, which would be written twenty thousand times.
  const items = Array.from({ length: 20_000 }, (_, id) => ({ id }));
  const { status, body } = await fire('agent', { items });
  const reason = 'the result of the expression of request is too large: writing it exceeds the work limit';
  t.match([status, body.detail], [502, `${reason} (JSONata error D1012)`]);
});

t.test('signs requests as Standard Webhooks specifies, with the same id in all attempts', async (t) => {
  const agent = await startAgent(t);
  const secrets = [
    secret(t, 'PULLCORD_TEST_SIGN_1', `whsec_${Buffer.from('the new secret').toString('base64')}`),
    secret(t, 'PULLCORD_TEST_SIGN_2', 'the old secret'),
  ];
  const files = agentFiles(basicFiles(), agent.url, { sign: { secrets } });
  const run = { ...JSON.parse(files['agent.yaml']).run, retry: { attempts: 2, backoff: '10ms' } };
  const { fire } = await startTestGateway(t, { ...files, 'agent.yaml': triggerFile('agent', { run }) });
  const answering = fire('agent', { instruction: 'süß' });
  const ids: unknown[] = [];
  for (const status of [503, 200]) {
    const { headers, body, answer } = await agent.next();
    const text = JSON.stringify(body);
    const signed = headers as Record<string, string>;
    for (const webhook of [
      new Webhook(process.env.PULLCORD_TEST_SIGN_1 ?? ''),
      new Webhook('the old secret', { format: 'raw' }),
    ]) {
      t.strictSame(webhook.verify(text, signed), body);
    }
    t.throws(() => new Webhook('another', { format: 'raw' }).verify(text, signed));
    ids.push(headers['webhook-id']);
    answer(status);
  }
  const { runId } = (await answering).body;
  t.strictSame(ids, [`run_${runId}`, `run_${runId}`]);
});

t.test('waits for as long as Retry-After asks before the next attempt', async (t) => {
  const agent = await startAgent(t);
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'agent.yaml': triggerFile('agent', {
      run: { uses: 'http', with: { url: agent.url }, retry: { attempts: 2, backoff: '10ms' } },
      ...accepted,
    }),
  });
  const { runId } = (await fire('agent', {})).body;
  const before = Date.now();
  (await agent.next()).answer(429, undefined, { 'retry-after': '3600' });
  const run = await until(async () => {
    const { body } = await fire('agent', undefined, { method: 'GET', path: `/run/${runId}` });
    return body.retryAt === undefined ? undefined : body;
  });
  t.match(run, { status: 'queued', failedAttempts: [{ message: 'agent answered 429' }] });
  t.ok(Date.parse(run.retryAt) - before >= 3_600_000);
});

t.test('reads the outcome of an answer from its pullcord-outcome header', async (t) => {
  const agent = await startAgent(t);
  const { fire } = await startTestGateway(t, agentFiles(basicFiles(), agent.url, {}));
  const answer = async (outcome: string) => {
    const answering = fire('agent', {});
    (await agent.next()).answer(200, 'which order?', { 'pullcord-outcome': outcome });
    return answering;
  };
  t.match((await answer('input_required')).body, { status: 'input_required', output: 'which order?' });
  t.match(await answer('failed'), { status: 502, body: { detail: 'agent says that it failed' } });
  t.match(await answer('so so'), { status: 502, body: { detail: /pullcord-outcome/ } });
});

t.test('polls detached work until the agent answers', async (t) => {
  const agent = await startAgent(t);
  const detached = { poll: { interval: '10ms' } };
  const gateway = await startTestGateway(t, agentFiles(basicFiles(), agent.url, { detached, output: 'answer' }));
  const answering = gateway.fire('agent', { instruction: 'think' });
  (await agent.next()).answer(202, undefined, { location: '/jobs/7?full=1' });
  const questions = [
    [202, undefined],
    [503, undefined],
    [429, undefined],
    [200, { answer: 42 }],
  ] as const;
  for (const [status, body] of questions) {
    const asked = await agent.next();
    t.match([asked.method, asked.url, asked.body], ['GET', '/jobs/7?full=1', undefined]);
    asked.answer(status, body, { 'retry-after': '0' });
  }
  t.match((await answering).body, { status: 'succeeded', output: 42 });
});

t.test('polls no other origin, and stops at the deadline', async (t) => {
  const agent = await startAgent(t);
  const elsewhere = await startAgent(t);
  const detached = { poll: { interval: '5ms' } };
  const hurried = { uses: 'http', with: { url: agent.url, detached: { ...detached, timeout: '50ms' } } };
  const { fire } = await startTestGateway(t, {
    ...agentFiles(basicFiles(), agent.url, { detached }),
    'hurried.yaml': triggerFile('hurried', { run: hurried }),
  });
  const failures: unknown[] = [];
  for (const location of [elsewhere.url, undefined, '/gone']) {
    const answering = fire('agent', {});
    (await agent.next()).answer(202, undefined, location === undefined ? {} : { location });
    if (location === '/gone') (await agent.next()).answer(410);
    failures.push((await answering).body.detail);
  }
  t.strictSame(failures, [
    'agent answered 202 with an address of another origin',
    'agent answered 202 without an address to poll',
    'agent answered 410',
  ]);
  t.equal(elsewhere.asked.length, 0);

  const tooLong = fire('hurried', {});
  (await agent.next()).answer(202, undefined, { location: '/jobs/8' });
  for (;;) {
    const asked = await agent.next();
    asked.answer(202);
    if (asked.method === 'DELETE') break;
  }
  t.equal((await tooLong).body.detail, 'the run did not end within 0.05s');
});

t.test('cancels the work of a cancelled run, and not when the gateway stops', async (t) => {
  const agent = await startAgent(t);
  const options = { detached: { poll: { interval: '10ms' } } };
  const files = { ...agentFiles(durableFiles(), agent.url, options, accepted) };
  const engine = { ...durable, with: { path: 'data/pullcord.db' } };
  const first = await startTestGateway(t, { ...files, 'gateway.yaml': gatewayFile({ engine }) });
  const { runId } = (await first.fire('agent', {})).body;
  (await agent.next()).answer(202, undefined, { location: '/jobs/9' });
  (await agent.next()).answer(202);
  await first.gateway.close();

  const second = await serveFolder(t, first.root);
  const seen = agent.asked.length;
  await until(() => agent.asked.slice(seen).find(({ method }) => method === 'GET'));
  t.strictSame([...new Set(agent.asked.map(({ method, url }) => `${method} ${url}`))], ['POST /agent', 'GET /jobs/9']);
  t.match(agent.asked.at(-1)?.headers['pullcord-attempt'], '2');
  await second.fire('agent', undefined, { method: 'DELETE', path: `/run/${runId}` });
  await until(() => agent.asked.find(({ method, url }) => method === 'DELETE' && url === '/jobs/9'));
});

t.test('a gateway that stops waits for the agent to accept a cancellation', async (t) => {
  const agent = await startAgent(t);
  const options = { detached: { poll: { interval: '10ms' } } };
  for (const isNamed of [true, false]) {
    const gateway = await startTestGateway(t, agentFiles(durableFiles(), agent.url, options, accepted));
    const { runId } = (await gateway.fire('agent', {})).body;
    const begin = await agent.next();
    const name = () => begin.answer(202, undefined, { location: '/jobs/9' });
    if (isNamed) {
      name();
      t.equal((await agent.next()).method, 'GET', 'it is detached');
    }
    const order: string[] = [];
    await gateway.fire('agent', undefined, { method: 'DELETE', path: `/run/${runId}` });
    const closing = gateway.gateway.close().then(() => order.push('closed'));
    await Promise.race([closing, lastListenerClosed(gateway)]);
    if (!isNamed) name();
    const { method, answer } = await agent.next();
    t.equal(method, 'DELETE');
    order.push('answered');
    answer(204);
    await closing;
    t.strictSame(order, ['answered', 'closed'], isNamed ? 'detached before' : 'detached after the cancellation');
  }
});

t.test('accepts a completion at the signed address only', async (t) => {
  const agent = await startAgent(t);
  const completion = { secrets: [secret(t, 'PULLCORD_TEST_CALLBACK_1', 'the callback secret')] };
  const gateway = await startTestGateway(
    t,
    agentFiles(basicFiles(), agent.url, {
      detached: { completion: { ...completion, gateway: 'https://pullcord.example.com' } },
      output: 'answer & $string($input.instruction)',
    }),
  );
  const answering = gateway.fire('agent', { instruction: 'think' });
  const asked = await agent.next();
  const given = new URL(String(asked.headers['pullcord-completion-url']));
  t.equal(given.origin, 'https://pullcord.example.com');
  const address = `${gateway.url}${given.pathname}${given.search}`;
  const runId = given.pathname.split('/').at(-2) ?? '';
  const post = (url: string, body: string, headers: object = {}) =>
    fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

  // Whoever is not the agent learns nothing, whatever is there.
  const [path, token] = [given.pathname, given.searchParams.get('token') ?? ''];
  const wrong = [
    path,
    `${path}?token=`,
    `${path}?token=${token.slice(1)}`,
    `${path}?token=${'A'.repeat(token.length)}`,
    `${path.replace(runId, '01890a5d-ac96-774b-bcce-b302099a8057')}?token=${token}`,
    `${path.replace('/agent/', '/another/')}?token=${token}`,
    `${path.replace('/support/', '/sales/')}?token=${token}`,
    `${path.replace(runId, 'x')}?token=${token}`,
  ];
  for (const target of wrong) {
    const refused = await post(`${gateway.url}${target}`, '{"answer":"forged"}');
    const { requestId, ...body } = Object(await refused.json());
    t.match([refused.status, body], [401, { code: 'unauthorized' }], target);
  }
  t.equal((await fetch(address)).status, 405);
  t.match(await (await post(address, '{')).json(), { status: 400, code: 'invalid_body' });

  asked.answer(202);
  const told = await until(async () => {
    const response = await post(address, '{"answer":"42 "}');
    return response.status === 200 ? response : undefined;
  });
  t.strictSame(await told.json(), { runId, status: 'succeeded' });
  t.match((await answering).body, { status: 'succeeded', output: '42 think' });
  // An agent that did not hear that it was told repeats itself.
  t.match(await (await post(address, '{"answer":"again"}')).json(), { runId, status: 'succeeded' });
  t.match(await readRun(gateway, gateway.fire, runId), { output: '42 think' });
});

t.test('accepts a completion before the answer, and after a restart', async (t) => {
  const agent = await startAgent(t);
  const completion = {
    secrets: [secret(t, 'PULLCORD_TEST_CALLBACK_2', 'the callback secret')],
    gateway: 'https://pullcord.example.com',
  };
  const engine = { ...durable, with: { path: 'data/pullcord.db' } };
  const first = await startTestGateway(t, {
    ...agentFiles(durableFiles(), agent.url, { detached: { completion } }, accepted),
    'gateway.yaml': gatewayFile({ engine }),
  });
  const tell = async ({ url }: TestGateway, asked: Asked, outcome: string) => {
    const { pathname, search } = new URL(String(asked.headers['pullcord-completion-url']));
    const headers = { 'content-type': 'application/json', 'pullcord-outcome': outcome };
    const response = await fetch(`${url}${pathname}${search}`, { method: 'POST', body: '"which one?"', headers });
    return response.status;
  };
  const early = (await first.fire('agent', {})).body.runId;
  const askedEarly = await agent.next();
  const telling = tell(first, askedEarly, 'input_required');
  askedEarly.answer(202);
  t.equal(await telling, 200);
  t.match(await readRun(first, first.fire, early), { status: 'input_required', output: 'which one?' });

  const late = (await first.fire('agent', {})).body.runId;
  const askedLate = await agent.next();
  askedLate.answer(202);
  await until(() => isDetached(join(first.root, 'data/pullcord.db'), late));
  await first.gateway.close();
  const second = await serveFolder(t, first.root);
  await until(async () => (await tell(second, askedLate, 'failed')) === 200);
  t.match(await readRun(second, second.fire, late), { status: 'failed', attempt: 2 });
  t.equal(agent.asked.length, 2, 'the agent was not asked again');
});

/** Whether the journal knows that an agent works on by itself. */
function isDetached(path: string, runId: string): boolean {
  using database = new DatabaseSync(path, { readOnly: true });
  return typeof database.prepare('SELECT checkpoint FROM runs WHERE id = ?').get(runId)?.checkpoint === 'string';
}

t.test('confirms a completion only when it is stored', async (t) => {
  const agent = await startAgent(t);
  const completion = {
    secrets: [secret(t, 'PULLCORD_TEST_CALLBACK_3', 'the callback secret')],
    gateway: 'https://pullcord.example.com',
  };
  const gateway = await startTestGateway(t, agentFiles(basicFiles(), agent.url, { detached: { completion } }));
  const tell = (asked: Asked, body: string) => {
    const { pathname, search } = new URL(String(asked.headers['pullcord-completion-url']));
    return fetch(`${gateway.url}${pathname}${search}`, { method: 'POST', body });
  };
  // It calls back, and never answers what it was asked.
  const answering = gateway.fire('agent', {});
  const asked = await agent.next();
  t.equal((await tell(asked, 'done')).status, 200);
  t.match((await answering).body, { status: 'succeeded', output: 'done' });
  t.equal(agent.asked.length, 1);

  const left = gateway.fire('agent', {});
  const late = await agent.next();
  const closing = gateway.gateway.close();
  await left;
  const told = await tell(late, 'too late').catch(() => undefined);
  t.ok(told === undefined || told.status !== 200);
  await closing;
});

t.test(
  'sends another agent nothing that was meant for the first, and polls no more often than configured',
  async (t) => {
    const agent = await startAgent(t);
    const engine = { ...durable, with: { path: 'data/pullcord.db' } };
    const options = { detached: { poll: { interval: '1h' } }, headers: { authorization: 'for the first' } };
    const first = await startTestGateway(t, {
      ...agentFiles(durableFiles(), agent.url, options, accepted),
      'gateway.yaml': gatewayFile({ engine }),
    });
    const { runId } = (await first.fire('agent', {})).body;
    (await agent.next()).answer(202, undefined, { location: '/jobs/1' });
    await until(() => isDetached(join(first.root, 'data/pullcord.db'), runId));
    await first.gateway.close();
    const other = await startAgent(t);
    const moved = { ...options, headers: { authorization: 'for the other' } };
    const { 'agent.yaml': trigger } = agentFiles({}, other.url, moved, accepted);
    await writeInto(first.root, 'agent.yaml', trigger);
    const second = await serveFolder(t, first.root);
    t.match(await readRun(second, second.fire, runId), { status: 'failed', error: { retryable: false } });
    t.equal(agent.asked.length + other.asked.length, 1);
  },
);

t.test('starts anew when the trigger has another plugin after a restart', async (t) => {
  const agent = await startAgent(t);
  const engine = { ...durable, with: { path: 'data/pullcord.db' } };
  const first = await startTestGateway(t, {
    ...agentFiles(durableFiles(), agent.url, { detached: { poll: { interval: '1h' } } }, accepted),
    'gateway.yaml': gatewayFile({ engine }),
  });
  const { runId } = (await first.fire('agent', { instruction: 'hi' })).body;
  (await agent.next()).answer(202, undefined, { location: '/jobs/1' });
  await until(() => isDetached(join(first.root, 'data/pullcord.db'), runId));
  await first.gateway.close();
  await writeInto(first.root, 'agent.yaml', triggerFile('agent', { run: { uses: 'echo' } }));
  const second = await serveFolder(t, first.root);
  t.match(await readRun(second, second.fire, runId), { status: 'succeeded', output: { instruction: 'hi' } });
});

t.test('refuses options that cannot work', async (t) => {
  const root = (options: object) => startTestGateway(t, agentFiles(basicFiles(), 'http://127.0.0.1:1/', options));
  const secrets = [secret(t, 'PULLCORD_TEST_WRONG', 'whsec_***')];
  for (const [options, place] of [
    [{ sign: { secrets } }, '/sign/secrets/0'],
    [{ detached: { completion: { secrets, gateway: 'https://a.example/path' } } }, '/detached/completion/gateway'],
    [{ detached: { completion: { secrets, gateway: 'ftp://a.example' } } }, '/detached/completion/gateway'],
    [{ detached: {} }, '/detached'],
    [{ detached: { timeout: '1h' } }, '/detached'],
    [{ detached: { poll: {}, timeout: '0s' } }, '/detached/timeout'],
    [{ request: '{' }, '/request'],
    [{ output: 'answer[' }, '/output'],
  ] as const) {
    await t.rejects(root(options), new RegExp(`/run/with${place}"`), place);
  }
});

t.test(
  'cancels polled work of a run that was cancelled before it could be resumed, but not of another agent',
  async (t) => {
    const agent = await startAgent(t);
    const { context } = callingContext(t);
    const options = { method: 'POST', headers: {}, timeout: 20_000, maxResponse: 1024, connections: 2 } as const;
    const detached = { timeout: 20_000, poll: { interval: 1000 } };
    const plugin = http.create(context, { ...options, url: agent.url, detached });
    const resumeCancelled = (address: string) => {
      const checkpoint = { uses: 'the plugin under test', handle: { address }, startedAt: Date.now() };
      return drive(plugin, runRequest(), { signal: AbortSignal.abort(), checkpoint });
    };
    const elsewhere = await resumeCancelled('http://127.0.0.1:1/jobs/1');
    t.match(elsewhere.result, { kind: 'failed', retryable: false });
    const cancelled = resumeCancelled(new URL('/jobs/7', agent.url).href);
    (await agent.next()).answer(204);
    t.match((await cancelled).result, { kind: 'failed', retryable: false });
    t.match(
      agent.asked.map(({ method, url }) => `${method} ${url}`),
      ['DELETE /jobs/7'],
    );
  },
);
