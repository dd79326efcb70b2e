import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import mcp from '../../plugins/run/mcp/index.ts';
import type { Options } from '../../plugins/run/mcp/options.gen.ts';
import { type FinalRunResult, OptionsError, type RunRequest } from '../../src/contract/index.ts';
import { attemptOf } from '../support/attempt.ts';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { callingContext, outboundWith, pluginContext } from '../support/exchange.ts';
import { startTestGateway, until } from '../support/gateway.ts';
import { type McpEra, McpHttpServer } from '../support/mcp-server.ts';

const run: RunRequest = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  project: 'support',
  trigger: 'add',
  sessionId: 'ada',
  input: { environment: 'api', language: 'en', sessionId: 'ada', a: 1, b: 2 },
  attempt: 1,
  completionUrl: '/completion',
};

const never = new AbortController().signal;
const program = join(import.meta.dirname, '../fixtures/mcp-program.ts');
const argv = [process.execPath, program];
const flood = (mode: string) => [process.execPath, join(import.meta.dirname, '../fixtures/mcp-flood.ts'), mode];
const example = join(import.meta.dirname, '../../config/agents/desk-tools.mjs');

async function pluginFor(t: Test, changes: Partial<Options>) {
  const { context, close } = callingContext(t);
  const options: Options = {
    ...{ tool: 'add', headers: {}, env: {}, timeout: 20_000, maxResponse: 2 ** 20, connections: 8, killGrace: 20_000 },
    ...changes,
  };
  const plugin = await mcp.create(context, options);
  const execute = async (input: object = {}, signal = never) =>
    (await plugin.execute({ ...run, input: { ...run.input, ...input } }, attemptOf(signal))) as FinalRunResult;
  return { execute, close };
}

/** What one call of a tool comes to. */
async function call(t: Test, changes: Partial<Options>, input: object = {}): Promise<FinalRunResult> {
  const { execute, close } = await pluginFor(t, changes);
  const result = await execute(input);
  await close();
  return result;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !/\) Z /.test(existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '');
}

/** Of an output that is an object. */
function membersOf(result: FinalRunResult): { server: number; child: number } {
  return result?.kind === 'succeeded' ? Object(result.output) : { server: 0, child: 0 };
}

const succeeded = (output: unknown) => ({ kind: 'succeeded', output });
const textFor = (id: number, text: string) => ({ id, result: { content: [{ type: 'text', text }] } });
const event = (message: object) => `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
const failed = (message: string | RegExp, retryable: boolean) => ({ kind: 'failed', message, retryable });

t.test('a caller of a gateway gets what a tool answers, by HTTP and from a program', async (t) => {
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
  ['of a server with sessions', 'sessions'],
  ['of one that is stateless', 'stateless'],
] as const) {
  t.test(`a tool ${title}`, async (t) => {
    const server = await McpHttpServer.start(t, era);
    await promisesOfTools(t, { url: server.url }, era);

    t.test('is told that its call is cancelled, and lets go of the connection', async (t) => {
      const { execute } = await pluginFor(t, { url: server.url, tool: 'slow' });
      const { calls, cancelled } = server.trace;
      const before = [calls.length, cancelled.length] as const;
      const controller = new AbortController();
      const ended = execute({}, controller.signal);
      await until(() => calls.length > before[0]);
      const { response } = server.requests.at(-1) ?? {};
      controller.abort();
      t.strictSame(await ended, failed('the run was aborted', false));
      await until(() => cancelled.length > before[1]);
      await until(() => response?.closed);
    });

    t.test('is given up when its time is up', async (t) => {
      const result = await call(t, { url: server.url, tool: 'slow', timeout: 150 });
      t.strictSame(result, failed('agent did not answer within 0.15s', true));
    });
  });
}

async function promisesOfTools(t: Test, server: Partial<Options>, era: McpEra): Promise<void> {
  const result = (t: Test, tool: string, input = {}, changes: Partial<Options> = {}) =>
    call(t, { ...server, tool, ...changes }, input);

  t.test('answers with structured content, else with its text as it is, else with nothing', async (t) => {
    t.strictSame(await result(t, 'add'), succeeded({ sum: 3 }));
    t.strictSame(await result(t, 'two-texts'), succeeded('{"a":1}\nb'));
    t.strictSame(await result(t, 'picture'), succeeded(null));
  });

  t.test('answers with what the expression of output makes of it', async (t) => {
    const picture = { output: "content[type = 'image'].data" };
    t.strictSame(await result(t, 'picture', {}, picture), succeeded('iVBORw0KGgo='));
    t.strictSame(await result(t, 'add', {}, { output: 'nothing' }), succeeded(null));
    t.match(await result(t, 'add', {}, { output: '$error()' }), failed(/JSONata error/, false));
    const json = { output: '{ "c": $json.c, "isThere": $exists($json) }' };
    t.strictSame(await result(t, 'repeat', { c: [null] }, json), succeeded({ c: [null], isThere: true }));
    t.strictSame(await result(t, 'large', { bytes: 3 }, json), succeeded({ isThere: false }), 'no JSON');
    t.strictSame(await result(t, 'two-texts', {}, json), succeeded({ isThere: false }), 'two texts');
  });

  t.test('is given the body without what the gateway adds, or what arguments make of it', async (t) => {
    t.strictSame(await result(t, 'repeat', { c: [null] }), succeeded('{"a":1,"b":2,"c":[null]}'));
    const mapped = { arguments: "{ 'session': $run.sessionId, 'sum': a + b }" };
    t.strictSame(await result(t, 'repeat', {}, mapped), succeeded('{"session":"ada","sum":3}'));
    t.match(await result(t, 'repeat', {}, { arguments: 'a' }), failed(/not an object/, false));
  });

  t.test('fails for good, and what it says of it is not told', async (t) => {
    t.strictSame(await result(t, 'refuse'), failed('the tool answered with an error', false));
    t.strictSame(await result(t, 'add', { a: 'one' }), failed('the tool answered with an error', false));
    const unknown = 'the MCP server has no such tool, or not with such arguments (-32602)';
    t.strictSame(await result(t, 'unknown'), failed(unknown, false));
    t.strictSame(await result(t, 'deep'), failed('agent answered with JSON nested deeper than 200 levels', false));
  });

  t.test('that asks back finds nobody', async (t) => {
    const unsupported = failed('the tool asks for input, which is not supported', false);
    const refused = failed('the tool answered with an error', false);
    t.strictSame(await result(t, 'ask'), refused, 'the server knows that nobody can be asked');
    t.strictSame(await result(t, 'ask-later'), era === 'stateless' ? unsupported : refused);
  });

  t.test('may answer at length, up to a limit', async (t) => {
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

t.test('by HTTP', async (t) => {
  const server = await McpHttpServer.start(t);
  const { url } = server;
  const methods = (from: number) => server.requests.slice(from).map(({ method, body }) => body?.method ?? method);

  t.test('one session serves all calls, which is ended with the instance', async (t) => {
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
    t.match(await execute(), failed('the gateway ended the call to stop', true));
  });

  t.test('a new session begins when the server has forgotten the old one, whatever it says then', async (t) => {
    const { execute } = await pluginFor(t, { url });
    await execute();
    server.forgetSessions();
    t.strictSame(await Promise.all([execute(), execute({ a: 5 })]), [succeeded({ sum: 3 }), succeeded({ sum: 7 })]);
    t.equal(server.sessions, 1);
    let refused = 0;
    server.intercept = ({ body, response }) => {
      if (body?.method !== 'tools/call' || refused > 0) return false;
      refused += 1;
      response.writeHead(400).end('Bad Request: No valid session ID provided');
      return true;
    };
    t.teardown(() => (server.intercept = undefined));
    t.strictSame(await execute(), succeeded({ sum: 3 }));
  });

  t.test('but only once, and not for a session that is new', async (t) => {
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

  t.test('statuses say whether to try again, and when', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    const { execute } = await pluginFor(t, { url });
    await execute();
    const cases = [
      [429, { 'retry-after': '7' }, { ...failed('agent answered 429', true), retryAfterMs: 7000 }],
      [503, {}, failed('agent answered 503', true)],
      [401, {}, failed('agent answered 401', false)],
      [403, {}, failed('agent answered 403', false)],
      [307, { location: 'http://127.0.0.1:1/' }, failed('agent answered 307: redirects are not followed', false)],
    ] as const;
    for (const [status, headers, expected] of cases) {
      server.intercept = ({ response }) => Boolean(response.writeHead(status, headers).end('s3cret'));
      t.strictSame(await execute(), expected);
      t.match((await call(t, { url })).kind, 'failed');
    }
    for (const [status, message] of [
      [401, 'agent answered 401'],
      [404, 'agent answered 404'],
      [503, 'agent answered 503'],
    ] as const) {
      server.intercept = ({ response }) => Boolean(response.writeHead(status).end('s3cret'));
      t.match(await call(t, { url }), failed(message, status === 503), 'at the very beginning');
    }
  });

  t.test('what is no MCP fails for good', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    const { execute } = await pluginFor(t, { url });
    await execute();
    for (const [type, text] of [
      ['text/html', '<html>'],
      ['application/json', '{"jsonrpc":'],
      ['application/json', '{"hello":"world"}'],
    ] as const) {
      server.intercept = ({ response }) => Boolean(response.writeHead(200, { 'content-type': type }).end(text));
      t.strictSame(await execute(), failed('agent answered with what is not MCP', false), text);
    }
  });

  t.test('what is made to harm who walks through it is refused', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    const { execute } = await pluginFor(t, { url });
    await execute();
    const depth = 200_000;
    for (const harm of ['['.repeat(depth) + ']'.repeat(depth), '{"__proto__":{"isAdmin":true}}']) {
      server.intercept = ({ body, response }) => {
        const result = `{"content":[],"structuredContent":{"harm":${harm}}}`;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(`{"jsonrpc":"2.0","id":${body?.id},"result":${result}}`);
        return true;
      };
      t.match(await execute(), failed(/^agent answered with /, false));
    }
  });

  t.test('a stream that ends or breaks off before the answer fails at once', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    const { execute } = await pluginFor(t, { url });
    await execute();
    for (const end of ['end', 'destroy'] as const) {
      server.intercept = ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        setImmediate(() => response[end]());
        return true;
      };
      t.strictSame(await execute(), failed('the MCP server stopped answering before the end', true));
    }
  });

  t.test('nobody who listens is worth another try', async (t) => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as AddressInfo;
    await new Promise((resolve) => nobody.close(resolve));
    const refused = failed('the connection to the agent failed (ECONNREFUSED)', true);
    t.strictSame(await call(t, { url: `http://127.0.0.1:${port}/mcp` }), refused);
  });

  t.test('what a server says beside its answer is passed over, and what it asks is replied to', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    const { execute } = await pluginFor(t, { url });
    await execute();
    const replies: object[] = [];
    server.intercept = ({ body, response }) => {
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
      return true;
    };
    t.strictSame(await execute(), succeeded('done'));
    t.match(replies, [
      { id: 'here?', result: {} },
      { id: 'roots?', error: { code: -32601 } },
    ]);
  });

  t.test('a flood fails the call, and calls forth no flood of replies', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    const { execute } = await pluginFor(t, { url });
    await execute();
    const many = failed('agent sent more than 10000 messages beside its answer', false);
    const ping = { id: 1, method: 'ping' };
    for (const [message, times, expected] of [
      [ping, 5_000, succeeded('done')],
      [ping, 20_000, many],
      [{ method: 'notifications/message' }, 20_000, many],
      ['{}', 60_000, many],
    ] as const) {
      const before = server.requests.length;
      server.intercept = ({ body, response }) => {
        if (body?.method !== 'tools/call') return Boolean(response.writeHead(202).end());
        const text = typeof message === 'string' ? `data: ${message}\n\n` : event(message);
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(text.repeat(times) + event(textFor(body.id, 'done')));
        return true;
      };
      t.strictSame(await execute(), expected);
      t.ok(server.requests.length - before < 1_000, `${server.requests.length - before} requests`);
    }
  });

  t.test('of a batch the answer counts, and the rest is passed over', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    const { execute } = await pluginFor(t, { url });
    await execute();
    const others = Array.from({ length: 20_000 }, () => ({ jsonrpc: '2.0', method: 'a' }));
    for (const [isAnswered, expected] of [
      [true, succeeded('done')],
      [false, failed('agent answered with what is not MCP', false)],
    ] as const) {
      server.intercept = ({ body, response }) => {
        const batch = isAnswered ? [...others, { jsonrpc: '2.0', ...textFor(body.id, 'done') }] : others;
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(batch));
        return true;
      };
      t.strictSame(await execute(), expected);
    }
  });

  t.test('a stream that the server ends in between is resumed, after a pause', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    const { execute } = await pluginFor(t, { url });
    await execute();
    const at: number[] = [];
    server.intercept = ({ method, headers, response }) => {
      at.push(performance.now());
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (method === 'POST') response.end('retry: 0\nid: there\ndata: \n\n');
      else response.end(event(textFor(Number(ids.at(-1)), String(headers['last-event-id']))));
      return true;
    };
    const ids: number[] = [];
    const { intercept } = server;
    server.intercept = (request) => {
      if (request.body?.method === 'tools/call') ids.push(request.body.id);
      return intercept(request);
    };
    t.strictSame(await execute(), succeeded('there'));
    t.equal(at.length, 2);
    t.ok(Number(at[1]) - Number(at[0]) > 400);
  });

  t.test('what is under way when the instance is closed is ended, also the way to the server', async (t) => {
    t.teardown(() => (server.intercept = undefined));
    const ended = failed('the gateway ended the call to stop', true);
    const connected = await pluginFor(t, { url, tool: 'slow' });
    const before = server.trace.calls.length;
    const call = connected.execute();
    await until(() => server.trace.calls.length > before);
    await connected.close();
    t.strictSame(await call, ended);
    server.intercept = () => true;
    const connecting = await pluginFor(t, { url });
    const requests = server.requests.length;
    const waiting = connecting.execute();
    await until(() => server.requests.length > requests);
    await connecting.close();
    t.strictSame(await waiting, ended);
  });

  t.test('a call that waits for its turn can be cancelled', async (t) => {
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

t.test('a program', async (t) => {
  t.test('is started by the first call and serves all others, and ends with all that it has started', async (t) => {
    const { execute, close } = await pluginFor(t, { argv, tool: 'family', killGrace: 50 });
    const [first, second] = [membersOf(await execute()), membersOf(await execute())];
    t.equal(first.server, second.server);
    t.ok(isRunning(first.server));
    await close();
    for (const pid of [first.server, first.child, second.child]) await until(() => !isRunning(pid));
  });

  t.test('that has ended is started again by the next call, after the one that it ended in has failed', async (t) => {
    const { execute } = await pluginFor(t, { argv, tool: 'exit' });
    t.strictSame(await execute(), failed('the MCP server ended with exit code 3', true));
    t.strictSame(await execute(), failed('the MCP server ended with exit code 3', true));
  });

  t.test('may answer at length, up to a limit, and to many at once', async (t) => {
    const { execute } = await pluginFor(t, { argv, tool: 'large', connections: 2 });
    const sizes = [900_000, 0, 1, 2, 3, 4, 5];
    const results = await Promise.all(sizes.map((bytes) => execute({ bytes })));
    t.strictSame(
      results,
      sizes.map((bytes) => succeeded('x'.repeat(bytes))),
    );
    t.strictSame(await execute({ bytes: 1_100_000 }), failed('agent answered with more than 1048576 bytes', false));
    t.strictSame(await execute({ bytes: 7 }), succeeded('xxxxxxx'), 'it is started again');
  });

  t.test('that asks back finds nobody', async (t) => {
    t.match(await call(t, { argv, tool: 'ask' }), failed('the tool answered with an error', false));
  });

  t.test('may log and tell of its progress, and its last words are heard', async (t) => {
    t.match(await call(t, { argv: flood('talkative') }), { kind: 'succeeded', output: /^\d+$/ });
  });

  t.test('is told that the gateway is there, and that it has nothing else to offer', async (t) => {
    t.match(await call(t, { argv: flood('asks') }), { kind: 'succeeded', output: /^\d+$/ });
  });

  t.test('that floods is ended, whatever with', async (t) => {
    const killGrace = { killGrace: 50 };
    const large = failed('agent answered with more than 1048576 bytes', false);
    const many = failed('agent sent more than 10000 messages beside its answer', false);
    t.strictSame(await call(t, { argv: flood('junk'), ...killGrace }), large);
    t.strictSame(await call(t, { argv: flood('braces'), ...killGrace }), many);
    t.strictSame(await call(t, { argv: flood('pings'), ...killGrace }), many);
  });

  t.test('that floods while nothing is asked of it is ended, and started again by the next call', async (t) => {
    const { execute } = await pluginFor(t, { argv: flood('idle'), killGrace: 50 });
    for (let call = 0; call < 2; call += 1) {
      const { output: pid } = Object(await execute());
      t.match(pid, /^\d+$/);
      await until(() => !isRunning(Number(pid)));
    }
  });

  t.test('that does not read is ended', async (t) => {
    const { execute } = await pluginFor(t, { argv: flood('deaf'), killGrace: 50 });
    t.match(await execute(), { kind: 'succeeded' });
    const text = 'x'.repeat(9 * 1024 * 1024);
    const deaf = failed('the MCP server does not read what it is sent', true);
    t.strictSame(await Promise.all([execute({ text }), execute({ text }), execute()]), [deaf, deaf, deaf]);
    t.match(await execute(), { kind: 'succeeded' }, 'it is started again');
  });

  t.test('that answers with what is no MCP fails for good', async (t) => {
    t.strictSame(await call(t, { argv: flood('odd') }), failed('agent answered with what is not MCP', false));
  });

  t.test('of the newest revision alone is understood too', async (t) => {
    t.strictSame(await call(t, { argv: [...argv, 'modern'] }), succeeded({ sum: 3 }));
  });

  t.test('has nothing of the gateway’s environment but what it needs', async (t) => {
    process.env.PULLCORD_TEST_CANARY = 's3cret';
    t.teardown(() => delete process.env.PULLCORD_TEST_CANARY);
    const names = Object.keys(
      membersOf(await call(t, { argv, tool: 'environment', env: { TOKEN: 'from the config' } })),
    );
    t.ok(names.includes('TOKEN') && names.includes('PATH'));
    t.notOk(names.includes('PULLCORD_TEST_CANARY'));
  });

  t.test('is told that a call is cancelled, and serves on', async (t) => {
    const { execute } = await pluginFor(t, { argv, tool: 'slow' });
    const folder = t.testdir();
    const controller = new AbortController();
    const ended = execute({ begun: join(folder, 'begun') }, controller.signal);
    await until(() => existsSync(join(folder, 'begun')));
    controller.abort();
    t.strictSame(await ended, failed('the run was aborted', false));
    t.strictSame(await execute({ wasCancelled: true }), succeeded('slow'));
  });

  t.test('of the example config tells when the desk is open', async (t) => {
    const tool = { argv: [process.execPath, example], tool: 'opening_hours', arguments: "{ 'day': day }" };
    const { execute } = await pluginFor(t, tool);
    t.strictSame(await execute({ day: 'Sunday' }), succeeded({ day: 'Sunday', hours: 'closed' }));
    t.strictSame(await execute(), succeeded({ day: 'weekdays', hours: '9:00 to 17:00' }));
  });

  t.test('that cannot be started is worth another try', async (t) => {
    const folder = t.testdir({ gone: {} });
    const { execute } = await pluginFor(t, { argv, cwd: join(folder, 'gone') });
    await rmdir(join(folder, 'gone'));
    t.strictSame(await execute(), failed('the MCP server could not be started (ENOENT)', true));
  });

  t.test('that ends at once, or says nothing, is no server', async (t) => {
    const lost = failed('the connection to the MCP server was closed', true);
    t.strictSame(await call(t, { argv: [process.execPath, '-e', ''] }), lost);
    const failing = failed('the MCP server ended with exit code 1', true);
    t.strictSame(await call(t, { argv: [process.execPath, 'no-such-file.mjs'] }), failing);
    const killed = failed('the MCP server ended by SIGKILL', true);
    t.strictSame(await call(t, { argv: [process.execPath, '-e', 'process.kill(process.pid, "SIGKILL")'] }), killed);
    const silent = { argv: ['sleep', '1000'], timeout: 50, killGrace: 10 };
    t.strictSame(await call(t, silent), failed('agent did not answer within 0.05s', true));
  });

  t.test('that minds neither its stdin nor SIGTERM is killed', async (t) => {
    const folder = t.testdir({ 'stubborn.sh': 'trap "" TERM\necho $$ > pid\nwhile true; do sleep 1; done\n' });
    const { execute, close } = await pluginFor(t, { argv: ['sh', 'stubborn.sh'], cwd: folder, killGrace: 50 });
    const result = execute();
    const pid = await until(() => existsSync(join(folder, 'pid')) && Number(readFileSync(join(folder, 'pid'), 'utf8')));
    await close();
    t.strictSame(await result, failed('the gateway ended the call to stop', true));
    await until(() => !isRunning(Number(pid)));
  });
});

t.test('refuses options', async (t) => {
  const refusalOf = async (changes: Partial<Options>) => {
    try {
      await pluginFor(t, changes);
    } catch (error) {
      if (OptionsError.is(error)) return error.problems;
      throw error;
    }
    return undefined;
  };
  const url = 'http://127.0.0.1/mcp';

  t.test('with no server, with two, or with what goes with the other sort', async (t) => {
    t.match(await refusalOf({}), [{ pointer: '' }]);
    t.match(await refusalOf({ url, argv }), [{ pointer: '/argv' }]);
    t.match(await refusalOf({ url, env: { A: 'b' } }), [{ pointer: '/env' }]);
    t.match(await refusalOf({ url, cwd: '.' }), [{ pointer: '/cwd' }]);
    t.match(await refusalOf({ argv, headers: { a: 'b' } }), [{ pointer: '/headers' }]);
    t.equal(await refusalOf({ url }), undefined);
  });

  t.test('with an address or a program that there cannot be', async (t) => {
    for (const wrong of ['mcp', 'ftp://host/', 'https://me:s3cret@host/']) {
      t.match(await refusalOf({ url: wrong }), [{ pointer: '/url' }]);
    }
    t.match(await refusalOf({ argv: ['no-such-program-of-the-tests'] }), [{ pointer: '/argv/0' }]);
    t.match(await refusalOf({ argv, env: { PULLCORD_X: '' } }), [{ pointer: '/env/PULLCORD_X' }]);
  });

  t.test('with headers that are the gateway’s', async (t) => {
    for (const name of ['mcp-session-id', 'MCP-Protocol-Version', 'accept', 'host', 'last-event-id']) {
      t.match(await refusalOf({ url, headers: { [name]: 'x' } }), [{ pointer: `/headers/${name}` }]);
    }
  });

  t.test('with arguments that are never an object, and warns of constant ones in no words of filters', async (t) => {
    for (const wrong of ['[1]', '"text"', '1 + 1', '$sum([1, 2])', 'null']) {
      const message = 'must return an object, and never does';
      t.match(await refusalOf({ url, arguments: wrong }), [{ pointer: '/arguments', message }], wrong);
    }
    const warnings: string[] = [];
    const context = {
      ...pluginContext,
      outbound: outboundWith((close) => t.teardown(close as () => Promise<void>)),
      report: ({ message }: { message: string }) => void warnings.push(message),
    };
    const create = (changes: object) =>
      mcp.create(context, { ...({ url, tool: 'add', headers: {}, env: {}, connections: 1 } as Options), ...changes });
    await create({ arguments: "{ 'a': 1 }", output: '"done"' });
    t.strictSame(warnings, []);
    await create({ output: '1 + "a"' });
    t.match(warnings, [/always fails/]);
  });

  t.test('with expressions that do not parse, or no time or space', async (t) => {
    t.match(await refusalOf({ url, arguments: '(' }), [{ pointer: '/arguments' }]);
    t.match(await refusalOf({ url, output: '(' }), [{ pointer: '/output' }]);
    t.match(await refusalOf({ url, timeout: 0 }), [{ pointer: '/timeout' }]);
    t.match(await refusalOf({ url, maxResponse: 0 }), [{ pointer: '/maxResponse' }]);
  });
});
