import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { traceSettings } from '../../src/observe/traces/settings.ts';
import { type CollectedSpan, TestCollector } from '../support/collector.ts';
import { configFolder, durable, durableFiles, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { serveFolder } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import { McpHttpServer } from '../support/mcp-server.ts';
import { until } from '../support/until.ts';

const secret = `whsec_${Buffer.from('the secret of the receiver, 32 b').toString('base64')}`;
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
/** Of the page in the browser, and of the agent, whose spans are exported by neither. */
const browserSpan = '00f067aa0ba902b7';
const agentSpan = 'b7ad6b7169203331';

/** A proxy that passes on what a browser sends, and says who that is. */
async function startProxy(t: Test, target: () => string): Promise<string> {
  return listen(t, async (request, response) => {
    const headers = { ...request.headers, 'x-forwarded-for': '203.0.113.7' };
    const body = await buffer(request);
    const passed = httpRequest(
      `${target()}${request.url}`,
      { method: request.method ?? '', headers },
      async (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        response.end(await buffer(answer));
      },
    );
    passed.end(body);
  });
}

function parentOf(headers: IncomingHttpHeaders | undefined): { readonly traceId: string; readonly spanId: string } {
  const [, traceId = '', spanId = ''] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(String(headers?.traceparent)) ?? [];
  return { traceId, spanId };
}

t.test(
  'one trace goes from a browser through gateway, agent, MCP tool and callback, over a restart of the gateway',
  async (t) => {
    const collector = await TestCollector.start(t);
    const tools = await McpHttpServer.start(t);
    const gateway: { url: string } = { url: '' };
    const proxy = await startProxy(t, () => gateway.url);
    const asked: IncomingHttpHeaders[] = [];
    const notified: IncomingHttpHeaders[] = [];
    // The agent holds the first attempt until the gateway stops, and calls a tool by the gateway in the second.
    const agent = await listen(t, async (request, response) => {
      asked.push(request.headers);
      if (asked.length === 1) return;
      const answer = await fetch(`${gateway.url}/api/v1.0/project/support/trigger/add`, {
        method: 'POST',
        headers: {
          'x-api-key': secrets.website,
          'content-type': 'application/json',
          traceparent: `00-${traceId}-${agentSpan}-01`,
          tracestate: String(request.headers.tracestate),
        },
        body: '{"a":3,"b":4}',
      });
      response.setHeader('content-type', 'application/json').end(await answer.text());
    });
    const receiver = await listen(t, async (request, response) => {
      await text(request);
      notified.push(request.headers);
      response.end();
    });
    process.env.PULLCORD_TEST_CALLBACK = secret;
    const callback = { url: `${receiver}/hook?token=hunter2`, secret: { env: 'PULLCORD_TEST_CALLBACK' } };
    const page = 'https://www.example.com';
    const root = await configFolder(t, {
      ...durableFiles(),
      'gateway.yaml': gatewayFile({ engine: durable, server: { trustProxy: 'loopback' } }),
      'triggers/ask.yaml': triggerFile('ask', {
        run: { uses: 'http', with: { url: agent } },
        respond: { uses: 'accepted' },
        cors: { origins: [page] },
        callback,
      }),
      'triggers/add.yaml': triggerFile('add', { run: { uses: 'mcp', with: { url: tools.url, tool: 'add' } } }),
    });
    const { settings: traces } = traceSettings(collector.environment);
    const before = await serveFolder(t, root, { traces });
    gateway.url = before.url;
    const url = `${proxy}/api/v1.0/project/support/trigger/ask`;

    // As a browser asks before a page may send these headers.
    const wanted = 'content-type,traceparent,tracestate,x-api-key';
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin: page, 'access-control-request-method': 'POST', 'access-control-request-headers': wanted },
    });
    t.equal(preflight.headers.get('access-control-allow-headers'), wanted);

    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        origin: page,
        'x-api-key': secrets.website,
        'content-type': 'application/json',
        traceparent: `00-${traceId}-${browserSpan}-01`,
        tracestate: 'shop=7',
      },
      body: '{"instruction":"add"}',
    });
    t.equal(answer.status, 202);
    const { runId } = Object(await answer.json());
    await until(() => asked.length === 1);
    await before.gateway.close();

    const after = await serveFolder(t, root, { traces });
    gateway.url = after.url;
    await until(() => notified.length === 1);
    t.match(await (await fetch(`${after.adminUrl}/runs/${runId}`)).json(), { state: 'succeeded', traceId });
    await after.gateway.close();

    const spans = collector.spans.filter(({ name }) => name !== 'OPTIONS /project/{projectId}/trigger/{key}');
    t.strictSame(new Set(spans.map((span) => span.traceId)), new Set([traceId]));
    t.strictSame(new Set(spans.map((span) => span.traceState)), new Set(['shop=7']));
    const find = (test: (span: CollectedSpan) => boolean): CollectedSpan => {
      const found = spans.filter(test);
      t.equal(found.length, 1);
      return found[0] as CollectedSpan;
    };
    const request = find(({ kind, attributes }) => kind === 'SERVER' && attributes['pullcord.trigger'] === 'ask');
    const first = find(({ name, attributes }) => name === 'invoke_agent ask' && attributes['pullcord.attempt'] === 1);
    const second = find(({ name, attributes }) => name === 'invoke_agent ask' && attributes['pullcord.attempt'] === 2);
    const toolRequest = find(({ kind, attributes }) => kind === 'SERVER' && attributes['pullcord.trigger'] === 'add');
    const tool = find(({ name }) => name === 'invoke_agent add');
    const sent = find(({ name }) => name === 'POST');
    t.equal(spans.length, 6);

    // The request is over before its run: attempts and callback are children of the browser's span, and linked to the request.
    const link = { traceId, spanId: request.spanId };
    t.match(request, { parentSpanId: browserSpan, links: [], attributes: { 'client.address': '203.0.113.7' } });
    for (const span of [first, second, sent]) t.match(span, { parentSpanId: browserSpan, links: [link] });
    t.match(first, { attributes: { 'pullcord.result': 'released' }, status: undefined });
    t.match(second, { attributes: { 'pullcord.result': 'succeeded' }, status: undefined });
    t.match(sent, {
      attributes: {
        'http.response.status_code': 200,
        'server.address': '127.0.0.1',
        'pullcord.callback.result': 'delivered',
      },
    });
    // The tool is waited for: its attempt is a child of the request, and that of the agent's span.
    t.match(toolRequest, { parentSpanId: agentSpan, links: [] });
    t.match(tool, { parentSpanId: toolRequest.spanId, links: [] });

    // What was sent on names the span of the attempt, or of the callback.
    t.strictSame(
      asked.map(parentOf),
      [first, second].map(({ spanId }) => ({ traceId, spanId })),
    );
    t.strictSame(notified.map(parentOf), [{ traceId, spanId: sent.spanId }]);
    t.strictSame(
      [...asked, ...notified].map(({ tracestate }) => tracestate),
      ['shop=7', 'shop=7', 'shop=7'],
    );
    const call = tools.requests.find(({ body }) => body?.method === 'tools/call');
    t.strictSame(parentOf(call?.headers), { traceId, spanId: tool.spanId });
    t.match(call?.body.params._meta, { traceparent: call?.headers.traceparent, tracestate: 'shop=7' });
    t.notMatch(collector.exports.map(({ json }) => json).join(), /hunter2|whsec/);
  },
);

t.test('without a trusted proxy the browser is in a trace of its own', async (t) => {
  const collector = await TestCollector.start(t);
  const { settings: traces } = traceSettings(collector.environment);
  const root = await configFolder(t, { ...durableFiles(), 'triggers/echo.yaml': triggerFile('echo') });
  const { gateway, fire } = await serveFolder(t, root, { traces });
  const answer = await fire('echo', {}, { headers: { traceparent: `00-${traceId}-${browserSpan}-01` } });
  t.equal(answer.status, 200);
  await gateway.close();
  t.equal(collector.spans.length, 2);
  for (const span of collector.spans) {
    t.not(span.traceId, traceId);
    t.strictSame(span.links, []);
  }
});
