import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const own = '00-11111111111111111111111111111111-2222222222222222-01';
const tracestate = 'shop=7';

interface Seen {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** A server that notes what it is asked, and that no plugin takes for an agent; a card it has for those who want one. */
async function stranger(t: Test) {
  const seen: Seen[] = [];
  const url: string = await listen(t, ({ method, headers }, response) => {
    seen.push({ method, headers });
    const card = {
      supportedInterfaces: [{ url: `${url}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
      capabilities: {},
    };
    response.writeHead(method === 'GET' ? 200 : 400, { 'content-type': 'application/json' });
    response.end(method === 'GET' ? JSON.stringify(card) : '{}');
  });
  return { url, seen };
}

async function start(t: Test, runs: Readonly<Record<string, object>>) {
  process.env.PULLCORD_TEST_AGENT_KEY = 'key-of-the-tests';
  const triggers = Object.entries(runs).map(
    ([key, run]) => [`triggers/${key}.yaml`, triggerFile(key, { run })] as const,
  );
  return startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server: { trustProxy: 'loopback' } }),
    ...Object.fromEntries(triggers),
  });
}

t.test('each plugin that calls an agent by HTTP sends the place of the run in its trace', async (t) => {
  const { url, seen } = await stranger(t);
  const apiKey = { env: 'PULLCORD_TEST_AGENT_KEY' };
  const runs = {
    http: { uses: 'http', with: { url } },
    a2a: { uses: 'a2a', with: { url } },
    langgraph: { uses: 'langgraph', with: { url, assistant: 'agent' } },
    dify: { uses: 'dify', with: { url, apiKey } },
    openai: { uses: 'openai', with: { baseUrl: url, model: 'm' } },
    responses: { uses: 'openai', with: { baseUrl: url, model: 'm', api: 'responses', background: true } },
  };
  const { fire } = await start(t, runs);
  for (const key of Object.keys(runs)) {
    seen.length = 0;
    const headers = { traceparent, tracestate };
    await fire(key, { instruction: 'hello' }, { headers });
    const asked = seen.filter(({ method }) => method === 'POST').map((one) => one.headers);
    t.ok(asked.length > 0, `${key} asks its agent`);
    for (const one of asked) t.match(one, headers, key);
    seen.length = 0;
    await fire(key, { instruction: 'hello again' });
    for (const one of seen)
      t.notOk('traceparent' in one.headers || 'tracestate' in one.headers, `${key}, without a trace`);
    t.ok(seen.length > 0);
  }
});

t.test('headers of the options are stronger', async (t) => {
  const { url, seen } = await stranger(t);
  const { fire } = await start(t, { http: { uses: 'http', with: { url, headers: { Traceparent: own } } } });
  await fire('http', {}, { headers: { traceparent, tracestate } });
  t.match(seen, [{ headers: { traceparent: own } }]);
  t.notOk('tracestate' in Object(seen[0]?.headers), 'the state of another trace would not fit');
});

t.test('a program finds the place of its run in its environment', async (t) => {
  const script = 'console.log(JSON.stringify([process.env.TRACEPARENT ?? null, process.env.TRACESTATE ?? null]))';
  const argv = [process.execPath, '-e', script];
  const { fire } = await start(t, {
    program: { uses: 'command', with: { argv } },
    named: { uses: 'command', with: { argv, env: { TRACEPARENT: own } } },
  });
  const outputOf = async (key: string, headers: Record<string, string>) =>
    (await fire(key, {}, { headers })).body.output;
  t.strictSame(await outputOf('program', { traceparent, tracestate }), [traceparent, tracestate]);
  t.strictSame(await outputOf('program', { traceparent }), [traceparent, null]);
  t.strictSame(await outputOf('program', {}), [null, null]);
  t.strictSame(await outputOf('named', { traceparent }), [own, null]);
});

t.test('a tool of MCP finds it in _meta, and in the headers', async (t) => {
  const calls: {
    readonly headers: IncomingHttpHeaders;
    readonly message: { readonly method: string; readonly params?: object };
  }[] = [];
  for (const revision of ['2025-11-25', '2026-07-28']) {
    calls.length = 0;
    const url = await listen(t, async (request, response) => {
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const message = JSON.parse(await text(request));
      calls.push({ headers: request.headers, message });
      const { id, method } = message;
      if (id === undefined) return void response.writeHead(202).end();
      const results: Record<string, object | undefined> = {
        'server/discover': revision === '2026-07-28' ? { supportedVersions: [revision] } : undefined,
        initialize: { protocolVersion: revision, capabilities: {}, serverInfo: { name: 'x', version: '1' } },
        'tools/call': { content: [{ type: 'text', text: 'done' }] },
      };
      const result = results[method];
      const answer = result === undefined ? { error: { code: -32601, message: 'unknown' } } : { result };
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    });
    const { fire } = await start(t, { tool: { uses: 'mcp', with: { url, tool: 'do' } } });
    t.equal((await fire('tool', {}, { headers: { traceparent, tracestate } })).status, 200);
    await fire('tool', {});
    const [traced, plain, ...more] = calls.filter(({ message }) => message.method === 'tools/call');
    t.match(traced, {
      headers: { traceparent, tracestate },
      message: { params: { name: 'do', _meta: { traceparent, tracestate } } },
    });
    t.notMatch(JSON.stringify(plain), 'traceparent');
    t.equal(more.length, 0);
    // The connection is that of all runs.
    const others = calls.filter(({ message }) => message.method !== 'tools/call');
    t.ok(others.length > 0);
    t.notMatch(JSON.stringify(others), 'traceparent');
  }
});
