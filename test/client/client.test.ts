import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { PullcordClient, PullcordError, type RunEvent } from '../../src/client/index.ts';
import { basicFiles, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

const words = 'one two three four five six seven eight nine ten';
const files = () => ({
  ...basicFiles(),
  'triggers/ask.yaml': triggerFile('ask'),
  'triggers/later.yaml': triggerFile('later', { respond: { uses: 'accepted' } }),
  'triggers/slow.yaml': triggerFile('slow', {
    run: { uses: 'echo', with: { delay: '20ms' } },
    respond: { uses: 'wait', with: { timeout: '1ms' } },
  }),
  'triggers/endless.yaml': triggerFile('endless', {
    run: { uses: 'echo', with: { delay: '1h' } },
    respond: { uses: 'accepted' },
  }),
  'triggers/failing.yaml': triggerFile('failing', {
    run: { uses: 'command', with: { argv: ['sh', '-c', 'exit 3'] } },
    respond: { uses: 'accepted' },
  }),
  'triggers/talk.yaml': triggerFile('talk', {
    run: { uses: 'echo', with: { stream: true, delay: '20ms' } },
    respond: { uses: 'stream' },
  }),
  'triggers/pros.yaml': triggerFile('pros', { filter: 'plan = "pro"' }),
  'triggers/once.yaml': triggerFile('once', {
    dedup: { uses: 'idempotency-key' },
    respond: { uses: 'accepted' },
  }),
});

async function collect(events: AsyncIterable<RunEvent>): Promise<readonly RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const textOf = (events: readonly RunEvent[]) =>
  events.map((event) => (event.type === 'delta' ? event.text : '')).join('');

async function listening(t: Test, server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return `http://127.0.0.1:${address.port}`;
}

/** A stand-in gateway that answers as `answer` does. */
async function answering(t: Test, answer: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
  let count = 0;
  const seen: IncomingMessage[] = [];
  const server = createHttpServer((request, response) => {
    seen.push(request);
    request.resume().on('end', () => answer(request, response, ++count));
  });
  return { url: await listening(t, server), seen };
}

t.test('fires a trigger and returns its run, finished or under way', async (t) => {
  const { url } = await startTestGateway(t, files());
  const client = new PullcordClient({ url: `${url}/api/v1.0/`, credential: secrets.website });
  const done = await client.fire('support/ask', { question: 1 });
  t.match(done, {
    status: 'succeeded',
    output: { question: 1 },
    statusUrl: `${url}/api/v1.0/project/support/trigger/ask/run/`,
  });
  t.match(await client.wait(done), { status: 'succeeded', runId: done.runId });
  t.match(await client.fire('support/later', {}), { statusUrl: new RegExp(`^${url}/api`) });
});

t.test('waits over 408 and 202 until the run has ended', async (t) => {
  const { url } = await startTestGateway(t, files());
  const client = new PullcordClient({ url: `${url}/api/v1.0`, credential: () => secrets.website });
  const fired = await client.fire('support/slow', { a: 1 });
  t.equal(fired.status, 'running');
  t.match(await client.wait(fired), { status: 'succeeded', output: { a: 1 } });
  t.match(await client.run('support/later', { b: 2 }), { status: 'succeeded', output: { b: 2 } });
  const endless = await client.fire('support/endless', {});
  t.match(await client.wait(endless, { timeoutMs: 1 }), { runId: endless.runId });
  t.match(await client.cancel(endless), { status: 'cancelled' });
  await t.rejects(client.run('support/failing', {}), { name: 'PullcordError', code: 'run_failed' });
});

t.test('an error is the problem that the gateway describes', async (t) => {
  const { url } = await startTestGateway(t, files());
  const client = new PullcordClient({ url: `${url}/api/v1.0`, credential: secrets.website });
  const error = await client.fire('support/pros', { plan: 'free' }).catch((caught: unknown) => caught);
  t.ok(error instanceof PullcordError);
  t.match(error, {
    status: 400,
    code: 'filtered',
    problem: { filter: 'filter 1', requestId: String },
    message: String,
  });
  await t.rejects(client.fire('support/unknown', {}), { status: 404, code: 'trigger_not_found' });
  const stranger = new PullcordClient({ url: `${url}/api/v1.0`, credential: 'pc_wrong' });
  await t.rejects(stranger.fire('support/ask', {}), { status: 401, code: 'unauthorized' });
});

t.test('streams a run; a trigger that does not stream gives the same events', async (t) => {
  const { url } = await startTestGateway(t, files());
  const client = new PullcordClient({ url: `${url}/api/v1.0`, credential: secrets.website });
  const events = await collect(client.stream('support/talk', { instruction: words }));
  t.equal(textOf(events), words);
  t.match(events.at(-2), { type: 'message', run: { output: words } });
  t.match(events.at(-1), { type: 'done', run: { status: 'succeeded' } });
  t.match(await collect(client.stream('support/ask', { a: 1 })), [
    { type: 'accepted' },
    { type: 'message', run: { output: { a: 1 } } },
    { type: 'done' },
  ]);
  const late = await collect(client.stream('support/later', { a: 1 }));
  t.match(late.at(-1), { type: 'done', run: { status: 'succeeded' } });
});

t.test('a connection that is cut again and again loses no piece and doubles none', async (t) => {
  const { url } = await startTestGateway(t, files());
  const { port } = new URL(url);
  let cuts = 0;
  // Cuts each answer after some more bytes, wherever that is.
  const proxy = createServer((client: Socket) => {
    const upstream = connect(Number(port), '127.0.0.1');
    let left = 700 + 150 * cuts;
    client.pipe(upstream);
    upstream.on('data', (bytes) => {
      client.write(bytes.subarray(0, left));
      left -= bytes.length;
      if (left > 0) return;
      cuts += 1;
      upstream.destroy();
      client.destroy();
    });
    for (const socket of [client, upstream]) socket.on('error', () => undefined).on('close', () => client.destroy());
  });
  const through = await listening(t, proxy);
  const client = new PullcordClient({ url: `${through}/api/v1.0`, credential: secrets.website });
  const events = await collect(client.stream('support/talk', { instruction: words }));
  t.ok(cuts > 0, `cut ${cuts} times`);
  t.equal(textOf(events), words);
  t.equal(events.filter(({ type }) => type === 'accepted').length, 1);
  t.match(events.at(-1), { type: 'done' });
});

t.test('repeats what was not accepted, when the gateway says, with the same idempotency key', async (t) => {
  const { url, seen } = await answering(t, (_request, response, count) => {
    if (count < 3) response.writeHead(count === 1 ? 503 : 429, { 'retry-after': '0' }).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"runId":"r","status":"succeeded"}');
  });
  const client = new PullcordClient({ url, credential: 'pc_x' });
  t.match(await client.fire('support/ask', { a: 1 }, { idempotencyKey: 'k1' }), { runId: 'r' });
  t.strictSame(
    seen.map(({ headers }) => headers['idempotency-key']),
    ['k1', 'k1', 'k1'],
  );
});

t.test('gives up after its retries, and at once where the gateway asks for a longer pause', async (t) => {
  const busy = await answering(t, (_request, response) => {
    response
      .writeHead(503, { 'retry-after': '0', 'content-type': 'application/problem+json' })
      .end('{"status":503,"code":"unavailable"}');
  });
  const client = new PullcordClient({ url: busy.url, credential: 'pc_x', retries: 2 });
  await t.rejects(client.fire('support/ask'), { status: 503, code: 'unavailable', retryAfterMs: 0 });
  t.equal(busy.seen.length, 3);
  const limited = await answering(t, (_request, response) => {
    response.writeHead(429, { 'retry-after': '86400' }).end('not JSON');
  });
  await t.rejects(new PullcordClient({ url: limited.url, credential: 'pc_x' }).fire('support/ask'), {
    status: 429,
    code: 'unknown',
    retryAfterMs: 86_400_000,
  });
  t.equal(limited.seen.length, 1);
});

t.test('a request whose fate is unknown is repeated only with an idempotency key', async (t) => {
  const cut = await answering(t, (request, _response) => request.socket.destroy());
  const client = new PullcordClient({ url: cut.url, credential: 'pc_x', retries: 1 });
  await t.rejects(client.fire('support/ask'));
  t.equal(cut.seen.length, 1);
  await t.rejects(client.fire('support/ask', {}, { idempotencyKey: 'k' }));
  t.equal(cut.seen.length, 3);
});

t.test('its own repetition that is a duplicate leads to the run of the first', async (t) => {
  const { url } = await startTestGateway(t, files());
  const client = new PullcordClient({ url: `${url}/api/v1.0`, credential: secrets.website });
  const first = await client.fire('support/once', { a: 1 }, { idempotencyKey: 'k' });
  const second = await client.run('support/once', { a: 1 }, { idempotencyKey: 'k' });
  t.equal(second.runId, first.runId);
});

t.test('a credential that is refused is asked for once more', async (t) => {
  const { url } = await startTestGateway(t, files());
  const asked: boolean[] = [];
  const client = new PullcordClient({
    url: `${url}/api/v1.0`,
    credential: (refused) => {
      asked.push(refused);
      return refused ? secrets.website : 'pc_expired_meanwhile';
    },
  });
  t.match(await client.fire('support/ask', {}), { status: 'succeeded' });
  t.strictSame(asked, [false, true]);
});

t.test('an aborted signal ends a request, a wait and a stream, and not the run', async (t) => {
  const { url } = await startTestGateway(t, files());
  const client = new PullcordClient({ url: `${url}/api/v1.0`, credential: secrets.website });
  const run = await client.fire('support/endless', {});
  const waiting = new AbortController();
  const waited = client.wait(run, { signal: waiting.signal });
  waiting.abort(new Error('left'));
  await t.rejects(waited, { message: 'left' });
  const following = new AbortController();
  await t.rejects(
    async () => {
      for await (const event of client.follow(run, { signal: following.signal })) {
        if (event.type === 'accepted') following.abort(new Error('closed'));
      }
    },
    { message: 'closed' },
  );
  t.match(await client.cancel(run), { status: 'cancelled' });
});

t.test('with a browser key, a run is read, followed and cancelled in the session of its request', async (t) => {
  const browser = {
    ...{
      version: 1,
      kind: 'ApiKey',
      id: 'page',
      use: 'browser',
      permissions: ['project.trigger'],
      projects: ['support'],
    },
    ...{ origins: ['https://www.example.com'], triggers: ['support/slow', 'support/endless', 'support/talk'] },
    secrets: [{ hash: `sha256:${hash('sha256', 'pcb_of_a_page')}` }],
    limits: [{ runs: '1000/1m' }],
  };
  const { url } = await startTestGateway(t, { ...files(), 'keys/page.yaml': JSON.stringify(browser) });
  // What a browser adds by itself.
  const fetchFromPage: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('origin', 'https://www.example.com');
    return fetch(input, { ...init, headers });
  };
  const client = new PullcordClient({ url: `${url}/api/v1.0`, credential: 'pcb_of_a_page', fetch: fetchFromPage });
  const run = await client.fire('support/slow', { sessionId: 'ada ü 50 % 李', a: 1 });
  t.match(await client.wait(run), { status: 'succeeded' });
  const refused = await client.wait(run.statusUrl).catch((error: unknown) => error);
  t.match(refused, { status: 403, code: 'forbidden' });
  t.match(await client.wait({ ...run, sessionId: 'bob' }).catch((error: unknown) => error), { status: 403 });
  const endless = await client.fire('support/endless', { sessionId: 'ada ü 50 % 李' });
  t.match(await client.cancel(endless.statusUrl).catch((error: unknown) => error), { status: 403 });
  t.match(await client.cancel(endless), { status: 'cancelled' });
  const events = await collect(client.stream('support/talk', { sessionId: 'ada ü 50 % 李', instruction: words }));
  t.equal(textOf(events), words);
});
