import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { mock } from 'node:test';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { agentDigest } from '../../plugins/run/agent-digest.ts';
import { readEvents } from '../../plugins/run/langgraph/events.ts';
import langgraph from '../../plugins/run/langgraph/index.ts';
import type { Options } from '../../plugins/run/langgraph/options.gen.ts';
import { threadIdOf } from '../../plugins/run/langgraph/thread-id.ts';
import {
  type FinalRunResult,
  type JsonObject,
  type JsonValue,
  OptionsError,
  type RunRequest,
} from '../../src/contract/index.ts';
import { AttemptReleased } from '../../src/engine/types/index.ts';
import { compileSchema } from '../../src/schema/validator.ts';
import { attemptOf } from '../support/attempt.ts';
import { callingContext } from '../support/exchange.ts';
import { until } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';

// What the plugin makes of answers that a real server gives seldom, or never. The real one is in run-langgraph.test.ts.

const run: RunRequest = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  project: 'support',
  trigger: 'refund-request',
  sessionId: undefined,
  input: { environment: 'api', language: 'en', instruction: 'refund order 7' },
  attempt: 1,
  completionUrl: '/never',
};
const threadId = threadIdOf({ ...run, sessionId: 's' });
const runId = '1f1e9026-26dd-6e90-8000-f0610fd29f78';
const thread = `/threads/${threadId}`;
const location = { 'content-location': `${thread}/runs/${runId}` };
const never = new AbortController().signal;

/** A session that keeps what it is told. */
function sessionWith(memory?: JsonValue) {
  const kept = { memory };
  return {
    get memory() {
      return kept.memory;
    },
    async remember(next: JsonValue) {
      kept.memory = next;
    },
  };
}

/** What a session remembers of a server. */
const of = (url: string, memory: JsonObject) => ({ server: agentDigest(new URL(url)), ...memory });

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Cuts the connection after the body. */
  readonly isCut?: boolean;
}

/** A server that gives one reply after the other to requests of a method and path. */
async function serverOf(t: Test, replies: Record<string, Reply[]>) {
  const requests: { call: string; headers: IncomingMessage['headers']; body: JsonObject | undefined }[] = [];
  const url = await listen(t, async (request, response) => {
    const call = `${request.method} ${request.url}`;
    const body = request.method === 'POST' ? ((await json(request).catch(() => undefined)) as JsonObject) : undefined;
    requests.push({ call, headers: request.headers, body });
    const { status = 200, headers = {}, body: text = '', isCut = false } = replies[call]?.shift() ?? { status: 404 };
    response.writeHead(status, headers).write(text, () => (isCut ? response.destroy() : response.end()));
  });
  return { url, requests, calls: () => requests.map(({ call }) => call) };
}

function pluginFor(t: Test, url: string, changes: Partial<Options> = {}) {
  const { context } = callingContext(t);
  const defaults = { headers: {}, stream: true, timeout: 20_000, maxResponse: 2 ** 20, connections: 8 };
  const plugin = langgraph.create(context, { url, assistant: 'agent', ...defaults, ...changes });
  return async (request: Partial<RunRequest> = {}, signal = never) => {
    const result = await plugin.execute({ ...run, ...request }, attemptOf(signal));
    if (result.kind !== 'stream') return { result: result as FinalRunResult, text: '' };
    for (let text = ''; ; ) {
      const next = await result.events.next();
      if (next.done) return { result: next.value as FinalRunResult, text };
      text += next.value.text;
    }
  };
}

const sse = (...events: [string, JsonValue][]) =>
  events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('');
const ai = (content: JsonValue, more: JsonObject = {}) => ({ type: 'ai', content, ...more });
const said = (content: JsonValue, more: JsonObject = {}) => ({
  messages: [{ type: 'human', content: 'hi' }, ai(content, more)],
});
const values = (state: JsonValue): Reply => ({ body: JSON.stringify(state) });

t.test('sends what the options say, and no more', async (t) => {
  const { url, requests } = await serverOf(t, {
    'POST /base/runs/stream': [{ body: sse(['values', said('done')]) }],
    [`POST /base${thread}/runs/wait`]: [values(said('done'))],
  });
  const headers = { 'X-Team': 'support', 'user-agent': 'shop' };
  const options = { apiKey: 's3cret', headers, config: { recursion_limit: 5 } };
  await pluginFor(t, `${url}/base/`, options)();
  await pluginFor(t, `${url}/base`, { stream: false })({ sessionId: 's', session: sessionWith() });
  const [stateless, threaded] = requests;
  t.strictSame(stateless?.body, {
    assistant_id: 'agent',
    input: { messages: [{ role: 'user', content: 'refund order 7', id: run.id }] },
    config: { recursion_limit: 5 },
    metadata: { pullcord_run: run.id, pullcord_project: 'support', pullcord_trigger: 'refund-request' },
    on_disconnect: 'continue',
    stream_mode: ['messages-tuple', 'values'],
  });
  t.match(stateless?.headers, { 'x-api-key': 's3cret', 'x-team': 'support', 'user-agent': 'shop' });
  t.match(threaded?.body, { on_disconnect: 'continue', if_not_exists: 'create', multitask_strategy: 'enqueue' });
  t.notOk(threaded?.headers['x-api-key']);
});

t.test('sends the whole body as JSON where there is no text to send', async (t) => {
  const { url, requests } = await serverOf(t, { 'POST /runs/stream': [{ body: sse(['values', said('done')]) }] });
  const input = { environment: 'api', language: 'en', order: 7 };
  await pluginFor(t, url)({ input });
  t.match(requests[0]?.body, { input: { messages: [{ content: JSON.stringify(input) }] } });
});

t.test('a session has a thread of its own', async (t) => {
  const sessions = [
    { sessionId: 's' },
    { sessionId: 't' },
    { sessionId: 's', trigger: 'x' },
    { sessionId: 's', project: 'x' },
  ];
  const ids = sessions.map((session) => threadIdOf({ ...run, ...session }));
  t.equal(new Set(ids).size, sessions.length);
  for (const id of ids) t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.equal(threadId, '26601333-c37b-59d5-8f24-98b6af2a76d2', 'as it always was');
  t.equal(threadIdOf(run), undefined);
});

t.test('takes as output', async (t) => {
  const cases: [string, JsonValue, FinalRunResult][] = [
    [
      'the last AI message',
      { messages: [ai('one'), ai('two'), { type: 'tool', content: 'x' }] },
      { kind: 'succeeded', output: 'two' },
    ],
    [
      'its text blocks',
      said([{ type: 'text', text: 'a' }, { type: 'reasoning' }, 'b']),
      { kind: 'succeeded', output: 'ab' },
    ],
    ['what else it holds', said([{ type: 'image' }]), { kind: 'succeeded', output: [{ type: 'image' }] }],
    ['a plain message', { messages: [{ role: 'assistant', content: 'a' }] }, { kind: 'succeeded', output: 'a' }],
    ['the state without one', { total: 7, messages: [] }, { kind: 'succeeded', output: { total: 7, messages: [] } }],
    ['a state that is no object', [1], { kind: 'succeeded', output: [1] }],
    [
      'a question',
      { ...said('x'), __interrupt__: [{ value: { a: 1 }, id: 'i' }] },
      { kind: 'input_required', output: { a: 1 } },
    ],
    ['nothing of a pause', { __interrupt__: [] }, { kind: 'input_required', output: null }],
  ];
  for (const [name, state, expected] of cases) {
    const { url } = await serverOf(t, {
      'POST /runs/wait': [values(state)],
      'POST /runs/stream': [{ body: sse(['metadata', {}], ['values', { messages: [] }], ['values', state]) }],
    });
    t.strictSame((await pluginFor(t, url, { stream: false })()).result, expected, `${name}, waited`);
    t.strictSame((await pluginFor(t, url)()).result, expected, name);
  }
});

t.test('counts the tokens of the turn', async (t) => {
  const usage = (input: JsonValue, output: JsonValue) => ({
    usage_metadata: { input_tokens: input, output_tokens: output },
  });
  const messages = [
    ai('a', usage(100, 100)),
    { type: 'human' },
    ai('b', usage(10, 2)),
    ai('c', usage(5, -1)),
    ai('d', usage('x', 1)),
  ];
  const { url } = await serverOf(t, { 'POST /runs/wait': [values({ messages })] });
  const { result } = await pluginFor(t, url, { stream: false })();
  t.strictSame(result, { kind: 'succeeded', output: 'd', usage: { inputTokens: 15, outputTokens: 3 } });
});

t.test('tells what AI messages say, once', async (t) => {
  const chunk = (content: JsonValue, id = 'm1') => [{ type: 'AIMessageChunk', content, id }, { langgraph_node: 'x' }];
  const body = sse(
    ['messages', [{ type: 'human', content: 'hi' }, {}]],
    ['messages', chunk('Let ')],
    ['messages', chunk([{ type: 'text', text: 'me see.' }])],
    ['messages', chunk('')],
    ['messages', [ai('Let me see.', { id: 'm1' }), {}]],
    ['messages', [{ type: 'tool', content: '{}', id: 't1' }, {}]],
    ['messages', chunk('Done.', 'm2')],
    ['messages|sub:1', chunk('of a subgraph', 'm3')],
    ['messages', 'nonsense'],
    ['values', said('Done.')],
  );
  const { url } = await serverOf(t, {
    'POST /runs/stream': [{ body: `: heartbeat\r\n\r\n${body}event: end\ndata: null\n\n` }],
  });
  const { result, text } = await pluginFor(t, url)();
  t.equal(text, 'Let me see.\n\nDone.');
  t.match(result, { kind: 'succeeded', output: 'Done.' });
});

t.test('tells the same wherever the stream is cut into pieces', async (t) => {
  const bytes = new TextEncoder().encode(
    sse(['messages', [ai('süß '), {}]], ['messages', [ai('🍰'), {}]], ['values', { messages: [ai('süß 🍰')] }]),
  );
  const property = fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
    const bounds = [0, ...cuts.sort((a, b) => a - b), bytes.length];
    async function* pieces() {
      for (let index = 1; index < bounds.length; index += 1) yield bytes.subarray(bounds[index - 1], bounds[index]);
    }
    const events = readEvents(pieces());
    for (let text = ''; ; ) {
      const next = await events.next();
      if (next.done)
        return text === 'süß 🍰' && next.value.values === '{"messages":[{"type":"ai","content":"süß 🍰"}]}';
      text += next.value.text;
    }
  });
  await fc.assert(property);
  t.pass();
});

t.test('fails', async (t) => {
  const deep = '['.repeat(300) + ']'.repeat(300);
  const cases: [string, Reply, string | RegExp, boolean][] = [
    ['on 401', { status: 401, body: 's3cret' }, 'agent answered 401: the API key is not accepted', false],
    ['on 403', { status: 403, body: 's3cret' }, /^agent answered 403: /, false],
    ['on 422', { status: 422, body: 's3cret' }, /^agent answered 422: /, false],
    ['on 409', { status: 409 }, 'agent answered 409: the thread is busy', true],
    ['on 503', { status: 503 }, 'agent answered 503', true],
    ['on a redirect', { status: 307, headers: { location: '/elsewhere' } }, /redirects are not followed/, false],
    [
      'on an error',
      values({ __error__: { error: 'ValueError', message: 's3cret' } }),
      'the graph failed (ValueError)',
      true,
    ],
    ['on an error without a name', values({ __error__: 's3cret' }), 'the graph failed', true],
    ['on an error with a name that is none', values({ __error__: { error: 's3cret: no' } }), 'the graph failed', true],
    [
      'on being cancelled',
      values({ __error__: { error: 'UserInterrupt' } }),
      'the graph failed (UserInterrupt)',
      false,
    ],
    ['on no JSON', { body: '<html>' }, 'agent answered with invalid JSON', false],
    ['on JSON nested too deep', { body: deep }, /nested deeper/, false],
    ['on too much', { body: ' '.repeat(2 ** 20 + 1) }, 'agent answered with more than 1048576 bytes', false],
    ['on an answer that ends too early', { body: '\n\n\n' }, 'agent ended its answer too early', true],
    ['on an answer that says nothing', values(null), 'agent ended its answer too early', true],
    ['on a connection that is cut', { body: '\n', isCut: true }, /^the connection to the agent failed/, true],
  ];
  for (const [name, reply, message, retryable] of cases) {
    const { url } = await serverOf(t, { 'POST /runs/wait': [reply] });
    const { result } = await pluginFor(t, url, { stream: false })();
    t.match(result, { kind: 'failed', message, retryable }, name);
    t.notMatch(JSON.stringify(result), /s3cret/);
  }
  const streams: [string, Reply, string | RegExp, boolean][] = [
    [
      'on an error',
      { body: sse(['values', said('x')], ['error', { error: 'KeyError', message: 's3cret' }]) },
      'the graph failed (KeyError)',
      true,
    ],
    ['on no JSON', { body: 'event: values\ndata: {\n\n' }, 'agent answered with invalid JSON', false],
    [
      'on a page',
      { headers: { 'content-type': 'text/html' }, body: '<html>' },
      'agent ended its answer too early',
      true,
    ],
    ['on too much', { body: `: ${'x'.repeat(2 ** 20)}\n` }, 'agent answered with more than 1048576 bytes', false],
  ];
  for (const [name, reply, message, retryable] of streams) {
    const { url } = await serverOf(t, { 'POST /runs/stream': [reply] });
    t.match((await pluginFor(t, url)()).result, { kind: 'failed', message, retryable }, `${name}, streamed`);
  }
});

t.test('leaves a server alone for as long as it asks', async (t) => {
  const { url } = await serverOf(t, { 'POST /runs/stream': [{ status: 429, headers: { 'retry-after': '7' } }] });
  const { result } = await pluginFor(t, url)();
  t.strictSame(result, { kind: 'failed', message: 'agent answered 429', retryable: true, retryAfterMs: 7_000 });
});

t.test('a server that is not there is a failure that may pass', async (t) => {
  const { result } = await pluginFor(t, 'http://127.0.0.1:1')();
  t.match(result, { kind: 'failed', message: /ECONNREFUSED/, retryable: true });
});

const status = (status: string): Reply => values({ status });
const state = (values: JsonObject, tasks: JsonValue = []): Reply => ({ body: JSON.stringify({ values, tasks }) });

t.test('a stream that ends before its run is no end', async (t) => {
  const { url, calls } = await serverOf(t, {
    [`POST ${thread}/runs/stream`]: [{ headers: location, body: sse(['values', said('of the turn before')]) }],
    [`GET ${thread}/runs/${runId}`]: [status('running'), status('pending'), status('success')],
    [`GET ${thread}/runs/${runId}/join`]: [values(null), values(null)],
    [`GET ${thread}/state`]: [state(said('done'))],
  });
  const { result } = await pluginFor(t, url)({ sessionId: 's', session: sessionWith() });
  t.strictSame(result, { kind: 'succeeded', output: 'done', memory: {} });
  t.equal(calls().length, 7);
});

t.test('what ended on the server is a failure', async (t) => {
  const cases: [Reply, FinalRunResult][] = [
    [
      status('interrupted'),
      { kind: 'failed', message: 'the run was cancelled on the server', retryable: false, memory: {} },
    ],
    [status('error'), { kind: 'failed', message: 'the graph failed', retryable: true, memory: {} }],
    [status('timeout'), { kind: 'failed', message: 'the graph failed', retryable: true, memory: {} }],
    [
      { status: 404 },
      { kind: 'failed', message: 'agent knows nothing of its run any more', retryable: true, memory: {} },
    ],
    [status('dreaming'), { kind: 'failed', message: /status/ as never, retryable: false }],
    [{ status: 500 }, { kind: 'failed', message: 'agent answered 500', retryable: true }],
  ];
  for (const [reply, expected] of cases) {
    const { url } = await serverOf(t, {
      [`POST ${thread}/runs/wait`]: [{ headers: location, ...values(said('half')) }],
      [`GET ${thread}/runs/${runId}`]: [reply],
      [`GET ${thread}/state`]: [state(said('half'))],
    });
    t.match((await pluginFor(t, url, { stream: false })({ sessionId: 's', session: sessionWith() })).result, expected);
  }
});

t.test('after a lost connection the next attempt waits for the same run', async (t) => {
  const { url, calls } = await serverOf(t, {
    [`POST ${thread}/runs/stream`]: [{ headers: location, body: ': \n', isCut: true }],
    [`GET ${thread}/runs/${runId}`]: [status('running'), status('success')],
    [`GET ${thread}/runs/${runId}/join`]: [values(null)],
    [`GET ${thread}/state`]: [state({}, [{ result: null, interrupts: [{ id: 'i', value: 'which?' }] }])],
  });
  const execute = pluginFor(t, url);
  const session = sessionWith();
  const first = await execute({ sessionId: 's', session });
  t.match(first.result, { kind: 'failed', message: /connection/, retryable: true });
  const { result } = await execute({ sessionId: 's', session, attempt: 2 });
  t.strictSame(result, { kind: 'input_required', output: 'which?', memory: of(url, { asked: ['i'] }) });
  t.equal(calls().filter((call) => call.startsWith('POST')).length, 1);
});

t.test('a run that the server has forgotten, or was told to end, is begun anew', async (t) => {
  for (const told of [{ status: 404 }, status('interrupted')]) {
    const { url } = await serverOf(t, {
      [`GET ${thread}/runs/${runId}`]: [told, status('success')],
      [`GET ${thread}/state`]: [state(said('half'))],
      [`POST ${thread}/runs/wait`]: [{ headers: location, ...values(said('done')) }],
    });
    const session = sessionWith(of(url, { running: { run: run.id, id: runId } }));
    const { result } = await pluginFor(t, url, { stream: false })({ sessionId: 's', session, attempt: 2 });
    t.match(result, { kind: 'succeeded', output: 'done' });
  }
});

t.test('an answer whose run failed is sent again by its next attempt, not by the next run', async (t) => {
  const { url, requests } = await serverOf(t, {
    [`POST ${thread}/runs/wait`]: [
      values({ __error__: { error: 'KeyError' } }),
      { headers: location, body: '', isCut: true },
      values(said('x')),
      values(said('x')),
    ],
  });
  const execute = pluginFor(t, url, { stream: false });
  const answers = async (memory: JsonValue, id = run.id) => {
    const session = sessionWith(memory);
    const { result } = await execute({ sessionId: 's', session, id });
    return 'memory' in result && result.memory !== undefined ? result.memory : (session.memory ?? null);
  };
  const failed = await answers(of(url, { asked: ['i'] }));
  t.strictSame(failed, of(url, { asked: ['i'], answeredBy: run.id }));
  const cut = await answers(failed);
  t.strictSame(cut, of(url, { asked: ['i'], answeredBy: run.id, running: { run: run.id, id: runId } }));
  await answers(failed, '01890a5d-ac96-774b-bcce-b302099a8058');
  await answers([{ role: 'user', content: 'of another plugin' }]);
  const sent = requests.map(({ body }) =>
    Object.keys(body ?? {}).find((name) => name === 'command' || name === 'input'),
  );
  t.strictSame(sent, ['command', 'command', 'input', 'input']);
});

t.test('what a session remembers of another server is nothing to this one', async (t) => {
  const { url, requests, calls } = await serverOf(t, {
    [`POST ${thread}/runs/wait`]: [values(said('x')), values(said('x'))],
  });
  const execute = pluginFor(t, url, { stream: false });
  const elsewhere = 'http://127.0.0.1:1';
  for (const memory of [{ asked: ['i'] }, { running: { run: run.id, id: runId } }]) {
    await execute({ sessionId: 's', session: sessionWith(of(elsewhere, memory)) });
  }
  t.strictSame(calls(), [`POST ${thread}/runs/wait`, `POST ${thread}/runs/wait`]);
  for (const { body } of requests) t.match(body, { input: {}, command: undefined });
});

t.test('an answer ends with its last event, though the connection stays open', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const cases = [
    [sse(['values', said('done')], ['end', null]), { kind: 'succeeded', output: 'done' }],
    [sse(['error', { error: 'KeyError' }]), { kind: 'failed', message: 'the graph failed (KeyError)' }],
  ] as const;
  for (const [body, expected] of cases) {
    const closed = Promise.withResolvers<void>();
    const url = await listen(t, (_, response) => {
      response.once('close', closed.resolve).write(body);
    });
    t.match((await pluginFor(t, url)()).result, expected);
    mock.timers.tick(1_000);
    await closed.promise;
  }
});

t.test('an answer that ends with its last event keeps its connection for the next run', async (t) => {
  const sockets = new Set<unknown>();
  const url = await listen(t, ({ socket }, response) => {
    sockets.add(socket);
    response.end(sse(['values', said('done')], ['end', null]));
  });
  const execute = pluginFor(t, url, { connections: 1 });
  await execute();
  await execute();
  t.equal(sockets.size, 1);
});

/** A server whose run does not end, executed until the session remembers it. */
async function endlessRun(t: Test) {
  const calls: string[] = [];
  const url = await listen(t, (request, response) => {
    calls.push(`${request.method} ${request.url}`);
    if (request.url?.endsWith('/stream')) response.writeHead(200, location).flushHeaders();
    else response.end();
  });
  const controller = new AbortController();
  const session = sessionWith();
  const execution = pluginFor(t, url)({ sessionId: 's', session }, controller.signal);
  await until(() => session.memory !== undefined);
  return { calls, controller, execution };
}

const begin = `POST ${thread}/runs/stream`;
const cancel = `POST ${thread}/runs/${runId}/cancel`;

t.test('a cancellation is passed on, a stop of the gateway is not', async (t) => {
  const cases = [
    [undefined, [begin, cancel]],
    [new AttemptReleased(), [begin]],
  ] as const;
  for (const [reason, expected] of cases) {
    const { calls, controller, execution } = await endlessRun(t);
    controller.abort(reason);
    t.match((await execution).result, { kind: 'failed', message: 'the run was aborted', retryable: false });
    t.strictSame(calls, expected);
  }
});

t.test('what takes too long is cancelled, and not waited for by the next attempt', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { calls, execution } = await endlessRun(t);
  mock.timers.tick(20_000);
  const { result } = await execution;
  const message = 'agent did not answer within 20s';
  t.strictSame(result, { kind: 'failed', message, retryable: true, memory: {} });
  t.strictSame(calls, [begin, cancel]);
});

t.test('a run that the server has yet to name is cancelled when it does', async (t) => {
  for (const isLate of [true, false]) {
    const calls: string[] = [];
    const begun = Promise.withResolvers<void>();
    const isLeft = Promise.withResolvers<void>();
    const url = await listen(t, async (request, response) => {
      calls.push(`${request.method} ${request.url}`);
      if (!request.url?.endsWith('/stream')) return void response.end();
      begun.resolve();
      await isLeft.promise;
      response.writeHead(200, location).flushHeaders();
    });
    const controller = new AbortController();
    const execution = pluginFor(t, url, isLate ? { timeout: 100 } : {})({ sessionId: 's' }, controller.signal);
    await begun.promise;
    if (!isLate) controller.abort();
    t.match((await execution).result, { message: isLate ? /within 0\.1s/ : 'the run was aborted' });
    t.strictSame(calls, [begin], 'which nobody waits for');
    isLeft.resolve();
    await until(() => calls.includes(cancel));
  }
});

t.test('a gateway that only stops leaves a run that the server has yet to name', async (t) => {
  const calls: string[] = [];
  const begun = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const url = await listen(t, (request, response) => {
    calls.push(`${request.method} ${request.url}`);
    response.once('close', closed.resolve);
    begun.resolve();
  });
  const controller = new AbortController();
  const execution = pluginFor(t, url)({ sessionId: 's' }, controller.signal);
  await begun.promise;
  controller.abort(new AttemptReleased());
  t.match((await execution).result, { message: 'the run was aborted' });
  await closed.promise;
  t.strictSame(calls, [begin]);
});

t.test('a cancellation does not wait for a free connection', async (t) => {
  const calls: string[] = [];
  const url = await listen(t, (request, response) => {
    calls.push(`${request.method} ${request.url}`);
    if (request.url?.endsWith('/stream')) response.writeHead(200, location).flushHeaders();
    else response.end();
  });
  const execute = pluginFor(t, url, { connections: 1 });
  const [first, second] = [new AbortController(), new AbortController()];
  const session = sessionWith();
  const executions = [
    execute({ sessionId: 's', session }, first.signal),
    execute({ sessionId: 's', session: sessionWith() }, second.signal),
  ];
  await until(() => session.memory !== undefined);
  first.abort();
  await executions[0];
  t.ok(calls.includes(cancel));
  second.abort(new AttemptReleased());
  await executions[1];
});

t.test('what waits for a connection ends when its time is up', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const begun = Promise.withResolvers<void>();
  const url = await listen(t, () => begun.resolve());
  const execute = pluginFor(t, url, { connections: 1, timeout: 50 });
  const executions = [execute(), execute()];
  await begun.promise;
  mock.timers.tick(50);
  for (const { result } of await Promise.all(executions)) {
    t.match(result, { kind: 'failed', message: /within 0\.05s/, retryable: true });
  }
  // Neither is waited for any longer, in case that it is named.
  mock.timers.tick(2_000);
});

t.test('an expression that comes to nothing, or to what makes no sense, is a failure', async (t) => {
  const cases: [Partial<Options>, string | RegExp][] = [
    [{ input: 'nobody' }, 'the expression of input came to nothing'],
    [{ input: '$uppercase(7)' }, /^the expression of input failed: JSONata error T0410/],
    [{ config: 'language' }, 'the expression of config did not come to an object'],
    [{ context: '[1]' }, 'the expression of context did not come to an object'],
    [{ output: '$uppercase(7)' }, /^the expression of output failed/],
  ];
  for (const [options, message] of cases) {
    const { url } = await serverOf(t, { 'POST /runs/stream': [{ body: sse(['values', said('x')]) }] });
    t.match((await pluginFor(t, url, options)()).result, { kind: 'failed', message, retryable: false });
  }
});

t.test('refuses options that no request could be made of, without repeating values', async (t) => {
  const problemsOf = (url: string, changes: Partial<Options> = {}) => {
    try {
      pluginFor(t, url, changes);
      return [];
    } catch (error) {
      if (!OptionsError.is(error)) throw error;
      t.notMatch(error.message, /s3cret/);
      return error.problems.map(({ pointer }) => pointer);
    }
  };
  t.strictSame(problemsOf('https://agent.example.com/base'), []);
  for (const url of ['agent.example.com', 'ftp://a', 'http://a:s3cret@b', 'http://a?b=c', 'http://a#b']) {
    t.strictSame(problemsOf(url), ['/url'], url);
  }
  t.strictSame(problemsOf('http://a', { apiKey: 's3cret\n' }), ['/apiKey']);
  t.strictSame(problemsOf('http://a', { apiKey: 'k', headers: { 'X-API-Key': 's3cret' } }), ['/apiKey']);
  t.strictSame(problemsOf('http://a', { headers: { host: 'b', 'a b': 'c' } }), ['/headers/host', '/headers/a b']);
  t.strictSame(problemsOf('http://a', { input: '{', output: '1 +' }).length, 1);
  const { validate } = compileSchema(langgraph.optionsSchema);
  const needed = { url: 'http://a', assistant: 'agent' };
  t.match(validate({ ...needed, maxResponse: '1B' }), { ok: true });
  t.match(validate({ ...needed, maxResponse: '0B' }), { problems: [{ pointer: '/maxResponse' }] });
});
