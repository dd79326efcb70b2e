import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import type { Options } from '../../../plugins/run/mcp/options.gen.ts';
import { McpHttpServer, type McpRequest } from '../../support/mcp-server.ts';
import { until } from '../../support/until.ts';
import { call, ended, failed, pluginFor, succeeded } from './support.ts';

const textFor = (id: number, text: string) => ({ id, result: { content: [{ type: 'text', text }] } });
const event = (message: object) => `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;

t.test('mcp › a server by HTTP', async (t) => {
  const server = await McpHttpServer.start(t);
  const { url } = server;
  const methods = (from: number) => server.requests.slice(from).map(({ method, body }) => body?.method ?? method);

  /** The plugin, connected, and how its requests are answered from then on. */
  async function intercepted(t: Test, intercept: (request: McpRequest) => unknown, changes: Partial<Options> = {}) {
    const plugin = await pluginFor(t, { url, ...changes });
    await plugin.execute();
    t.teardown(() => (server.intercept = undefined));
    server.intercept = (request) => intercept(request) !== false;
    return plugin;
  }

  t.test('serves all calls in one session, which ends with the instance', async (t) => {
    const { execute, close } = await pluginFor(t, { url, headers: { 'x-team': 'support' } });
    const before = server.requests.length;
    await Promise.all([execute(), execute()]);
    t.strictSame(await execute(), succeeded({ sum: 3 }));
    const connected = ['server/discover', 'initialize', 'notifications/initialized'];
    t.strictSame(methods(before), [...connected, 'tools/call', 'tools/call', 'tools/call']);
    t.match(server.requests.at(-1)?.headers, { 'x-team': 'support', 'user-agent': 'pullcord' });
    await close();
    t.equal(methods(before).at(-1), 'DELETE');
    t.equal(server.sessions, 0);
    t.match(await execute(), ended);
  });

  t.test('that has forgotten the session is called in a new one', async (t) => {
    const { execute } = await pluginFor(t, { url });
    await execute();
    server.forgetSessions();
    t.strictSame(await Promise.all([execute(), execute({ a: 5 })]), [succeeded({ sum: 3 }), succeeded({ sum: 7 })]);
    t.equal(server.sessions, 1);
  });

  t.test('may report the forgotten session by the status 400', async (t) => {
    let refused = 0;
    const { execute } = await intercepted(t, ({ body, response }) => {
      if (body?.method !== 'tools/call' || refused > 0) return false;
      refused += 1;
      return response.writeHead(400).end('Bad Request: No valid session ID provided');
    });
    t.strictSame(await execute(), succeeded({ sum: 3 }));
  });

  t.test('is called in a new session only once, and not for one that is new', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    let calls = 0;
    server.intercept = ({ body, response }) => {
      if (body?.method !== 'tools/call') return false;
      calls += 1;
      response.writeHead(404).end();
      return true;
    };
    const { execute } = await pluginFor(t, { url });
    t.strictSame(await execute(), failed('agent answered 404', false));
    t.equal(calls, 1);
    t.strictSame(await execute(), failed('agent answered 404', false));
    t.equal(calls, 3);
  });

  for (const [status, retryable] of [
    [401, false],
    [404, false],
    [503, true],
  ] as const) {
    t.test(`fails the run by the status ${status} of its first response`, async (t) => {
      t.teardown(() => (server.intercept = undefined));
      const headers = { 'retry-after': '7' };
      server.intercept = ({ response }) => Boolean(response.writeHead(status, headers).end('s3cret'));
      const expected = { ...failed(`agent answered ${status}`, retryable), retryAfterMs: 7000 };
      t.strictSame(await call(t, { url }), expected);
    });
  }

  for (const [type, text] of [
    ['text/html', '<html>'],
    ['application/json', '{"hello":"world"}'],
  ] as const) {
    t.test(`fails the run if its answer is not MCP: ${text}`, async (t) => {
      const head = { 'content-type': type };
      const { execute } = await intercepted(t, ({ response }) => response.writeHead(200, head).end(text));
      t.strictSame(await execute(), failed('agent answered with something that is not MCP', false));
    });
  }

  const depth = 200_000;
  for (const [name, harm] of [
    ['nested too deep', '['.repeat(depth) + ']'.repeat(depth)],
    ['has a prototype', '{"__proto__":{"isAdmin":true}}'],
  ] as const) {
    t.test(`fails the run if its answer ${name}`, async (t) => {
      const { execute } = await intercepted(t, ({ body, response }) => {
        const result = `{"content":[],"structuredContent":{"harm":${harm}}}`;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(`{"jsonrpc":"2.0","id":${body?.id},"result":${result}}`);
      });
      t.match(await execute(), failed(/^agent answered with /, false));
    });
  }

  t.test('fails the run if an event of its stream is not UTF-8', async (t) => {
    const { execute } = await intercepted(t, ({ body, response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(Buffer.from(event(textFor(body?.id, 's\u00fc\u00df')), 'latin1'));
    });
    t.strictSame(await execute(), failed('agent answered with text that is not UTF-8', false));
  });

  for (const end of ['end', 'destroy'] as const) {
    t.test(`fails the run at once if its stream stops before the answer (${end})`, async (t) => {
      const { execute } = await intercepted(t, ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        setImmediate(() => response[end]());
      });
      t.strictSame(await execute(), failed('the MCP server stopped answering before the end', true));
    });
  }

  t.test('that does not listen may do so later', async (t) => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as AddressInfo;
    await new Promise((resolve) => nobody.close(resolve));
    const refused = failed('the connection to the agent failed (ECONNREFUSED)', true);
    t.strictSame(await call(t, { url: `http://127.0.0.1:${port}/mcp` }), refused);
  });

  t.test('may send notifications beside its answer, and receives replies to its requests', async (t) => {
    const replies: object[] = [];
    const { execute } = await intercepted(t, ({ body, response }) => {
      if (body?.method === 'tools/call') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(event({ id: 'here?', method: 'ping' }) + event({ id: 'roots?', method: 'roots/list' }));
        response.write(event({ method: 'notifications/message', params: {} }) + event({}).repeat(2_000));
        response.write(event({ id: 99, result: {} }));
        until(() => replies.length === 2).then(() => response.end(event(textFor(body.id, 'done'))));
      } else if (body?.method === undefined) {
        replies.push(body);
        response.writeHead(202).end();
      }
    });
    t.strictSame(await execute(), succeeded('done'));
    t.match(replies, [
      { id: 'here?', result: {} },
      { id: 'roots?', error: { code: -32601 } },
    ]);
  });

  const many = failed('agent sent more than 10000 messages beside its answer', false);
  const ping = { id: 1, method: 'ping' };
  for (const [name, message, times, expected] of [
    ['5,000 pings', event(ping), 5_000, succeeded('done')],
    ['20,000 pings', event(ping), 20_000, many],
    ['20,000 notifications', event({ method: 'notifications/message' }), 20_000, many],
    ['60,000 empty messages', 'data: {}\n\n', 60_000, many],
  ] as const) {
    t.test(`that sends ${name} causes no flood of replies`, async (t) => {
      const { execute } = await intercepted(t, ({ body, response }) => {
        if (body?.method !== 'tools/call') return response.writeHead(202).end();
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        return response.end(message.repeat(times) + event(textFor(body.id, 'done')));
      });
      const before = server.requests.length;
      t.strictSame(await execute(), expected);
      t.ok(server.requests.length - before < 1_000, `${server.requests.length - before} requests`);
    });
  }

  for (const [isAnswered, expected] of [
    [true, succeeded('done')],
    [false, failed('agent answered with something that is not MCP', false)],
  ] as const) {
    t.test(
      `may answer with a batch, ${isAnswered ? 'whose answer counts' : 'unless that has no answer'}`,
      async (t) => {
        const others = Array.from({ length: 20_000 }, () => ({ jsonrpc: '2.0', method: 'a' }));
        const { execute } = await intercepted(t, ({ body, response }) => {
          const batch = isAnswered ? [...others, { jsonrpc: '2.0', ...textFor(body.id, 'done') }] : others;
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(batch));
        });
        t.strictSame(await execute(), expected);
      },
    );
  }

  t.test('may end a stream before the answer, which is resumed after a pause', async (t) => {
    const at: number[] = [];
    let id = 0;
    const { execute } = await intercepted(t, ({ method, body, headers, response }) => {
      if (body?.method === 'tools/call') id = body.id;
      at.push(performance.now());
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (method === 'POST') response.end('retry: 0\nid: there\ndata: \n\n');
      else response.end(event(textFor(id, String(headers['last-event-id']))));
    });
    t.strictSame(await execute(), succeeded('there'));
    t.equal(at.length, 2);
    t.ok(Number(at[1]) - Number(at[0]) > 400);
  });

  t.test('has its calls ended when the instance is closed', async (t) => {
    const connected = await pluginFor(t, { url, tool: 'slow' });
    const before = server.trace.calls.length;
    const result = connected.execute();
    await until(() => server.trace.calls.length > before);
    await connected.close();
    t.strictSame(await result, ended);
  });

  t.test('is not connected to any more when the instance is closed', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    server.intercept = () => true;
    const connecting = await pluginFor(t, { url });
    const requests = server.requests.length;
    const waiting = connecting.execute();
    await until(() => server.requests.length > requests);
    await connecting.close();
    t.strictSame(await waiting, ended);
  });

  t.test('is not called for a run that is cancelled while it waits for its turn', async (t) => {
    const { execute } = await pluginFor(t, { url, tool: 'slow', connections: 1 });
    const first = new AbortController();
    const second = new AbortController();
    const before = server.trace.calls.length;
    const results = [execute({}, first.signal), execute({}, second.signal)];
    await until(() => server.trace.calls.length > before);
    second.abort();
    t.match(await results[1], failed('the run was aborted', false));
    first.abort();
    await results[0];
    t.equal(server.trace.calls.length, before + 1);
  });
});
