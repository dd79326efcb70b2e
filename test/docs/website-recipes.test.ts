import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { basicFiles, configFolder, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import { type CodeBlock, codeBlocks } from '../support/markdown.ts';
import { accepts, programPath, startNginxServer } from '../support/nginx.ts';
import { storedRuns } from '../support/stored-runs.ts';
import { until } from '../support/until.ts';

const nginx = process.env.PULLCORD_TEST_NGINX ?? (await programPath('nginx'));

async function blocksOf(page: string, language: string): Promise<readonly CodeBlock[]> {
  const blocks = codeBlocks(await readFile(join(import.meta.dirname, '../../docs', page), 'utf8'));
  return blocks.filter((block) => block.language === language);
}

/** A gateway whose triggers answer at once or never; one drops spam. */
async function gatewayFor(t: Test) {
  const respond = { uses: 'wait', with: { timeout: '1h', stream: true } };
  const run = { uses: 'echo', with: { stream: true } };
  return startTestGateway(t, {
    ...basicFiles(),
    'triggers/ask.yaml': triggerFile('ask', { respond, run, filter: '$not(instruction = "spam")' }),
    'triggers/talk.yaml': triggerFile('talk', { respond: { uses: 'stream' }, run }),
    'triggers/slow.yaml': triggerFile('slow', { respond, run: { uses: 'echo', with: { delay: '1h' } } }),
  });
}

interface Stub {
  readonly url: string;
  readonly received: readonly IncomingHttpHeaders[];
  /** How many requests ended because the caller went away. */
  left(): number;
}

/** Stands in for a gateway: answers `{}`, or never. */
async function stubFor(t: Test, answers: boolean): Promise<Stub> {
  const received: IncomingHttpHeaders[] = [];
  let left = 0;
  const url = await listen(t, (incoming, response) => {
    received.push(incoming.headers);
    response.once('close', () => {
      if (!response.writableEnded) left += 1;
    });
    incoming.resume();
    if (answers) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  return { url, received, left: () => left };
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request to a server at a Unix socket; the answer has begun. */
async function ask(socketPath: string, { method = 'POST', path = '/ask', headers = {}, body = '' }: Asked) {
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  const sent = request({
    ...{ socketPath, method, path, agent: false },
    headers: { host: 'shop', 'content-type': 'application/json', ...length, ...headers },
  });
  sent.end(body);
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (response === undefined) throw new Error('no response');
  return response;
}

async function statusOf(socket: string, asked: Asked): Promise<number | undefined> {
  const response = await ask(socket, asked);
  response.resume();
  return response.statusCode;
}

/** Reads a stream until it has sent an event, and leaves. */
async function readsUpTo(response: IncomingMessage, event: string): Promise<void> {
  for await (const chunk of response.setEncoding('utf8')) if (String(chunk).includes(`event: ${event}`)) return;
  throw new Error(`the stream ended without ${event}`);
}

/** Starts the backend that the docs show, whose visitors send their name as a cookie. */
async function startBackend(t: Test, gateway: string, change = (code: string) => code): Promise<string> {
  const blocks = await blocksOf('websites.md', 'javascript');
  const code = blocks.find(({ path }) => path === 'server.js')?.text ?? '';
  const folder = await configFolder(t, {
    'package.json': '{ "type": "module" }',
    'server.js': change(code),
    'sessions.js': `export const visitorOf = async ({ headers }) => {
      const id = /visitor=(\\w+)/.exec(headers.cookie ?? '')?.[1];
      return id && { id, plan: 'pro', chatId: 'chat of ' + id };
    };`,
  });
  const socket = join(folder, 'server.sock');
  const env = { PULLCORD_URL: `${gateway}/api/v1.0`, PULLCORD_KEY: secrets.website, PORT: socket };
  const child = spawn(process.execPath, [join(folder, 'server.js')], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill();
    await exited;
  });
  await until(() => child.exitCode !== null || accepts(socket));
  return socket;
}

const ada = { cookie: 'visitor=ada' };

t.test('the backend in docs/websites.md', async (t) => {
  t.test(
    'streams the answer to the signed-in visitor, in the session and as the customer it sets itself',
    async (t) => {
      const { url } = await gatewayFor(t);
      const socket = await startBackend(t, url);
      const claimed = JSON.stringify({ sessionId: 'chat of bob', customer: { id: 'bob' } });
      const response = await ask(socket, { headers: ada, body: claimed });
      t.equal(response.statusCode, 200);
      t.match(response.headers, { 'content-type': /^text\/event-stream/, 'cache-control': /no-store/ });
      t.match(response.headers, { 'x-accel-buffering': 'no' });
      const streamed = await text(response);
      t.match(streamed, /event: delta.+event: message.+event: done/s);
      t.match(streamed, '\\"sessionId\\":\\"chat of ada\\",\\"customer\\":{\\"id\\":\\"ada\\",\\"plan\\":\\"pro\\"}');
      t.notMatch(streamed + JSON.stringify(response.headers), secrets.website, 'the key stays where it is');
    },
  );

  t.test('passes events on while the run continues, also after the page has left', async (t) => {
    const { url, adminUrl } = await gatewayFor(t);
    const socket = await startBackend(t, url, (code) => code.replace('/trigger/ask', '/trigger/slow'));
    await readsUpTo(await ask(socket, { headers: ada, body: '{}' }), 'accepted');
    const { runs } = (await (await fetch(`${adminUrl}/runs`)).json()) as { runs: { state: string }[] };
    t.match(runs, [{ state: 'running' }]);
  });

  t.test('refuses visitors who have not signed in, forms of other sites and large bodies', async (t) => {
    const { url, adminUrl } = await gatewayFor(t);
    const socket = await startBackend(t, url);
    const form = { ...ada, 'content-type': 'text/plain' };
    t.equal(await statusOf(socket, { body: '{}' }), 401);
    t.equal(await statusOf(socket, { headers: form, body: '{}' }), 415);
    t.equal(await statusOf(socket, { headers: ada, method: 'GET' }), 415);
    t.equal(await statusOf(socket, { headers: ada, body: JSON.stringify('x'.repeat(10_000)) }), 413);
    t.equal(await statusOf(socket, { headers: ada, body: '{' }), 400);
    t.equal(await statusOf(socket, { headers: ada, path: '/other', body: '{}' }), 404);
    t.equal(await storedRuns(adminUrl), 0);
  });

  t.test('passes the errors of the gateway on, but none about its key', async (t) => {
    const { url } = await gatewayFor(t);
    const socket = await startBackend(t, url);
    const spam = await ask(socket, { headers: ada, body: '{"instruction":"spam"}' });
    t.match(spam, { statusCode: 400, headers: { 'content-type': 'application/problem+json' } });
    t.match(JSON.parse(await text(spam)), { code: 'filtered' });
    const wrongKey = await startBackend(t, url, (code) =>
      code.replace("'x-api-key': PULLCORD_KEY", "'x-api-key': 'x'"),
    );
    t.equal(await statusOf(wrongKey, { headers: ada, body: '{}' }), 502);
    const gone = await startBackend(t, 'http://127.0.0.1:1');
    t.equal(await statusOf(gone, { headers: ada, body: '{}' }), 502);
  });

  t.test('sends the gateway nothing but its own headers, and ends the request when the page leaves', async (t) => {
    const stub = await stubFor(t, false);
    const socket = await startBackend(t, stub.url);
    const leaving = request({
      ...{ socketPath: socket, method: 'POST', path: '/ask', agent: false },
      headers: { ...ada, 'content-type': 'application/json', 'content-length': '2', 'x-api-key': 'visitor' },
    });
    leaving.on('error', () => undefined).end('{}');
    await until(() => stub.received.length === 1);
    t.match(stub.received[0], { 'x-api-key': secrets.website, cookie: undefined, authorization: undefined });
    t.equal(stub.left(), 0);
    leaving.destroy();
    await until(() => stub.left() === 1);
  });

  t.test('answers 504 when the gateway takes too long', async (t) => {
    const stub = await stubFor(t, false);
    const socket = await startBackend(t, stub.url, (code) => code.replace('60_000', '1'));
    t.equal(await statusOf(socket, { headers: ada, body: '{}' }), 504);
  });
});

/** Starts nginx with the directives that the docs show. */
async function startProxy(t: Test, gateway: string, trigger = 'talk'): Promise<string> {
  const [key, http, server] = (await blocksOf('streaming.md', 'nginx')).map(({ text }) => text);
  const folder = await configFolder(t, { 'key.conf': (key ?? '').replace('pc_…', secrets.website) });
  return startNginxServer(t, nginx ?? '', {
    http: http ?? '',
    server: (server ?? '')
      .replace('/etc/nginx/pullcord-key.conf', join(folder, 'key.conf'))
      .replace('http://127.0.0.1:8080', gateway)
      .replace('/trigger/talk', `/trigger/${trigger}`),
  });
}

t.test('the proxy in docs/streaming.md', { skip: nginx === undefined && 'nginx is not installed' }, async (t) => {
  t.test('adds its key, which no page sees, and streams', async (t) => {
    const { url } = await gatewayFor(t);
    const socket = await startProxy(t, url);
    const response = await ask(socket, { body: '{"instruction":"say this"}' });
    t.match(response, { statusCode: 200, headers: { 'content-type': /^text\/event-stream/ } });
    const streamed = await text(response);
    t.match(streamed, /event: accepted.+event: delta.+event: done/s);
    t.notMatch(streamed + JSON.stringify(response.headers), secrets.website);
    const slow = await startProxy(t, url, 'slow');
    await readsUpTo(await ask(slow, { headers: { accept: 'text/event-stream' }, body: '{}' }), 'accepted');
  });

  t.test('drops what visitors send in the headers of credentials and addresses', async (t) => {
    const own = {
      'x-api-key': 'pc_own',
      authorization: 'Bearer pc_own',
      cookie: 'a=b',
      'x-forwarded-for': '192.0.2.7',
    };
    const stub = await stubFor(t, true);
    t.equal(await statusOf(await startProxy(t, stub.url), { headers: own, body: '{}' }), 200);
    const [received] = stub.received;
    t.match(received, { 'x-api-key': secrets.website, authorization: undefined, cookie: undefined });
    t.notMatch(received?.['x-forwarded-for'], '192.0.2.7');
    const { url } = await gatewayFor(t);
    t.equal(await statusOf(await startProxy(t, url), { headers: own, body: '{}' }), 200, 'and the gateway is content');
  });

  t.test('lets POST pass alone, and no more than its limits', async (t) => {
    const { url, adminUrl } = await gatewayFor(t);
    const socket = await startProxy(t, url);
    t.equal(await statusOf(socket, { method: 'GET' }), 403);
    t.equal(await statusOf(socket, { method: 'DELETE' }), 403);
    t.equal(await statusOf(socket, { body: JSON.stringify('x'.repeat(70_000)) }), 413);
    t.equal(await storedRuns(adminUrl), 0);
    await until(async () => (await statusOf(socket, { body: '{}' })) === 429);
    t.ok((await storedRuns(adminUrl)) > 0, 'some have passed before');
  });
});
