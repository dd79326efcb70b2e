import t, { type Test } from 'tap';
import type { Options } from '../../../plugins/run/mcp/options.gen.ts';
import { basicFiles, gatewayFile, triggerFile } from '../../support/config-folder.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { type McpEra, McpHttpServer } from '../../support/mcp-server.ts';
import { until } from '../../support/until.ts';
import { argv, call, failed, pluginFor, succeeded } from './support.ts';

t.test('mcp › a caller receives what a tool answers, by HTTP and from a program', async (t) => {
  const server = await McpHttpServer.start(t);
  const tool = { tool: 'add', arguments: "{ 'a': numbers[0], 'b': numbers[1] }", output: 'structuredContent.sum' };
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ outbound: { allow: ['127.0.0.1'] } }),
    'http.yaml': triggerFile('http', { run: { uses: 'mcp', with: { url: server.url, ...tool } } }),
    'program.yaml': triggerFile('program', { run: { uses: 'mcp', with: { argv, ...tool } } }),
  });
  for (const trigger of ['http', 'program']) {
    t.match(await gateway.fire(trigger, { numbers: [3, 4] }), { status: 200, body: { output: 7 } });
    t.match(await gateway.fire(trigger, { numbers: [] }), { status: 502, body: { code: 'run_failed' } });
  }
});

for (const [title, era] of [
  ['with sessions', 'sessions'],
  ['that is stateless', 'stateless'],
] as const) {
  t.test(`mcp › a tool of a server ${title}`, async (t) => {
    const server = await McpHttpServer.start(t, era);
    await toolCases(t, { url: server.url }, era);

    t.test('has its call cancelled with the run, and its connection closed', async (t) => {
      const { execute } = await pluginFor(t, { url: server.url, tool: 'slow' });
      const { calls, cancelled } = server.trace;
      const before = [calls.length, cancelled.length] as const;
      const controller = new AbortController();
      const result = execute({}, controller.signal);
      await until(() => calls.length > before[0]);
      const { response } = server.requests.at(-1) ?? {};
      controller.abort();
      t.strictSame(await result, failed('the run was aborted', false));
      await until(() => cancelled.length > before[1]);
      await until(() => response?.closed);
    });

    t.test('fails the run when the time is up', async (t) => {
      const result = await call(t, { url: server.url, tool: 'slow', timeout: 150 });
      t.strictSame(result, failed('the run did not end within 0.15s', true));
    });
  });
}

async function toolCases(t: Test, server: Partial<Options>, era: McpEra): Promise<void> {
  const result = (t: Test, tool: string, input = {}, changes: Partial<Options> = {}) =>
    call(t, { ...server, tool, ...changes }, input);

  t.test('answers with structured content, else with its text as it is, else with its content', async (t) => {
    t.strictSame(await result(t, 'add'), succeeded({ sum: 3 }));
    t.strictSame(await result(t, 'two-texts'), succeeded('{"a":1}\nb'));
    t.match(await result(t, 'picture'), succeeded([{ type: 'image', data: 'iVBORw0KGgo=' }]));
  });

  t.test('answers with the value of the expression of output', async (t) => {
    const picture = { output: "content[type = 'image'].data" };
    t.strictSame(await result(t, 'picture', {}, picture), succeeded('iVBORw0KGgo='));
    t.strictSame(await result(t, 'add', {}, { output: 'nothing' }), succeeded(null));
    t.match(await result(t, 'add', {}, { output: '$error()' }), failed(/JSONata error/, false));
  });

  t.test('has $json in output if it answers with one text that is JSON', async (t) => {
    const json = { output: '{ "c": $json.c, "isThere": $exists($json) }' };
    t.strictSame(await result(t, 'repeat', { c: [null] }, json), succeeded({ c: [null], isThere: true }));
    t.strictSame(await result(t, 'large', { bytes: 3 }, json), succeeded({ isThere: false }), 'no JSON');
    t.strictSame(await result(t, 'two-texts', {}, json), succeeded({ isThere: false }), 'two texts');
  });

  t.test('receives the body without what the gateway adds, or the value of arguments', async (t) => {
    t.strictSame(await result(t, 'repeat', { c: [null] }), succeeded('{"a":1,"b":2,"c":[null]}'));
    const mapped = { arguments: "{ 'session': $run.sessionId, 'sum': a + b }" };
    t.strictSame(await result(t, 'repeat', {}, mapped), succeeded('{"session":"ada","sum":3}'));
    t.match(await result(t, 'repeat', {}, { arguments: 'a' }), failed(/not an object/, false));
  });

  t.test('fails the run without its own words if it answers with an error', async (t) => {
    t.strictSame(await result(t, 'refuse'), failed('the tool answered with an error', false));
    t.strictSame(await result(t, 'add', { a: 'one' }), failed('the tool answered with an error', false));
  });

  t.test('fails the run if the server does not have it', async (t) => {
    const unknown = 'the MCP server has no such tool, or not with such arguments (-32602)';
    t.strictSame(await result(t, 'unknown'), failed(unknown, false));
  });

  t.test('fails the run if its result is nested too deep', async (t) => {
    t.strictSame(await result(t, 'deep'), failed('agent answered with JSON nested deeper than 200 levels', false));
  });

  t.test('fails the run if it asks for input', async (t) => {
    const unsupported = failed('the tool asks for input, which is not supported', false);
    const refused = failed('the tool answered with an error', false);
    t.strictSame(await result(t, 'ask'), refused, 'the server knows that nobody can be asked');
    t.strictSame(await result(t, 'ask-later'), era === 'stateless' ? unsupported : refused);
  });

  t.test('may answer at length, up to maxResponse', async (t) => {
    t.strictSame(await result(t, 'large', { bytes: 900_000 }), succeeded('x'.repeat(900_000)));
    const large = failed('agent answered with more than 1048576 bytes', false);
    t.strictSame(await result(t, 'large', { bytes: 1_100_000 }), large);
  });

  t.test('can be called many times at once', async (t) => {
    const { execute, close } = await pluginFor(t, { ...server, connections: 2 });
    const results = await Promise.all(Array.from({ length: 9 }, (_, a) => execute({ a })));
    t.strictSame(
      results,
      Array.from({ length: 9 }, (_, a) => succeeded({ sum: a + 2 })),
    );
    await close();
  });
}

t.test('mcp › arguments are repeated in headers if the server demands it', async (t) => {
  const server = await McpHttpServer.start(t, 'stateless');
  const headers = {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    order: { properties: { id: { type: 'integer', 'x-mcp-header': 'Order' }, of: { 'x-mcp-header': 'not a name' } } },
    absent: { type: 'string', 'x-mcp-header': 'Absent' },
  };
  const pages: object[] = [
    { tools: [{ name: 'other' }], nextCursor: 'next' },
    { tools: [{ name: 'add', inputSchema: { type: 'object', properties: headers } }] },
  ];
  let names: readonly string[] = [];
  server.intercept = ({ headers, body, response }) => {
    const answer = (status: number, message: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: body.id, ...message }));
      return true;
    };
    if (body?.method === 'tools/list') return answer(200, { result: pages[body.params.cursor === 'next' ? 1 : 0] });
    if (body?.method !== 'tools/call') return false;
    names = Object.keys(headers).filter((name) => name.startsWith('mcp-param-'));
    if (names.length === 0) return answer(400, { error: { code: -32020, message: 'header mismatch' } });
    const text = `${headers['mcp-param-region']} ${headers['mcp-param-order']}`;
    return answer(200, { result: { resultType: 'complete', content: [{ type: 'text', text }] } });
  };
  const input = { region: 's\u00fcd', order: { id: 7, of: 'ada' } };
  t.strictSame(await call(t, { url: server.url }, input), succeeded('=?base64?c8O8ZA==?= 7'));
  t.strictSame(names.toSorted(), ['mcp-param-order', 'mcp-param-region']);
  pages[1] = { tools: [] };
  t.strictSame(await call(t, { url: server.url }, input), failed('the MCP server refused the call (-32020)', false));
});
