import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { type FixtureFileResponse, LLMock } from '@copilotkit/aimock';
import type { OpenAI } from 'openai';
import t, { type Test } from 'tap';
import { eventsOf } from '../../plugins/run/openai/events.ts';
import openai from '../../plugins/run/openai/index.ts';
import type { Options } from '../../plugins/run/openai/options.gen.ts';
import { ResponseMemory } from '../../plugins/run/openai/response-memory.ts';
import { latestTurns, type Message } from '../../plugins/run/openai/transcript.ts';
import {
  type FinalRunResult,
  type JsonObject,
  type JsonValue,
  OptionsError,
  type OptionsFinding,
  type RunRequest,
  type Session,
} from '../../src/contract/index.ts';
import { checkConfig } from '../../src/runtime/check-config.ts';
import { attemptOf } from '../support/attempt.ts';
import { basicFiles, configFolder, durable, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { callingContext } from '../support/exchange.ts';
import { serveFolder, startTestGateway, type TestGateway, until } from '../support/gateway.ts';
import { messageItem, modelResponse, serveResponses } from '../support/responses-endpoint.ts';

const never = new AbortController().signal;
const usage = { prompt_tokens: 12, completion_tokens: 34, total_tokens: 46 };
const counted = { inputTokens: 12, outputTokens: 34 };

const defaults: Omit<Options, 'baseUrl'> = {
  ...{ api: 'chat', model: 'gpt-5-mini', headers: {}, parameters: {}, stream: true, includeUsage: true },
  ...{ history: { turns: 50, characters: 100_000 }, background: false, format: 'text' },
  ...{ timeout: 20_000, maxResponse: 2 ** 20, connections: 128 },
};

function requestFor(input: object, memory?: JsonValue, changes: Partial<RunRequest> = {}): RunRequest {
  const session: Session = { memory, remember() {} };
  return {
    ...{ id: '01890a5d-ac96-774b-bcce-b302099a8057', project: 'support', trigger: 'chat', attempt: 1 },
    ...{ sessionId: 'one', session, completionUrl: '/completion' },
    input: { environment: 'api', language: 'en', ...input },
    ...changes,
  };
}

interface Told {
  readonly result: FinalRunResult;
  readonly deltas: readonly string[];
}

/** The plugin with these options, and what it tells of a run. */
async function pluginFor(t: Test, baseUrl: string, changes: Partial<Options> = {}) {
  const findings: OptionsFinding[] = [];
  const { context } = callingContext(t);
  const report = (finding: OptionsFinding) => void findings.push(finding);
  const plugin = await openai.create({ ...context, report }, { baseUrl, ...defaults, ...changes });
  const run = async (request: RunRequest, signal = never): Promise<Told> => {
    const result = await plugin.execute(request, attemptOf(signal));
    if (result.kind === 'detached') throw new Error('detached');
    if (result.kind !== 'stream') return { result, deltas: [] };
    const deltas: string[] = [];
    for (;;) {
      const next = await result.events.next();
      if (!next.done) deltas.push(next.value.text);
      else if (next.value.kind === 'detached') throw new Error('detached');
      else return { result: next.value, deltas };
    }
  };
  return { run, plugin, findings };
}

/** Starts a mock of OpenAI that answers what the last message holds. */
async function mockWith(t: Test, answers: Record<string, FixtureFileResponse>): Promise<LLMock & { v1: string }> {
  const mock = new LLMock({ port: 0, chunkSize: 4 });
  for (const [pattern, answer] of Object.entries(answers)) mock.onMessage(pattern, answer);
  await mock.start();
  t.teardown(() => mock.stop());
  return Object.assign(mock, { v1: `${mock.url}/v1` });
}

function messagesIn(mock: LLMock): unknown {
  return JSON.parse(JSON.stringify(mock.getLastRequest()?.body)).messages;
}

/** Serves on a free port until the test ends. */
async function endpointThat(t: Test, answer: RequestListener) {
  const sockets = new Set<Socket>();
  const server = createServer(answer);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, sockets };
}

/** Answers every request the same way: an object as JSON, a list as events. */
async function endpointAnswering(t: Test, body: object | string, status = 200, headers = {}) {
  const requests: { headers: IncomingHttpHeaders; url: string; body: unknown }[] = [];
  const isStream = Array.isArray(body);
  const text = isStream ? sse(body) : typeof body === 'string' ? body : JSON.stringify(body);
  const { url, sockets } = await endpointThat(t, async (request, response) => {
    requests.push({
      headers: request.headers,
      url: request.url ?? '',
      body: await json(request).catch(() => undefined),
    });
    const type = isStream ? 'text/event-stream' : 'application/json';
    response.writeHead(status, { 'content-type': type, ...headers }).end(text);
  });
  return { url, sockets, requests };
}

/** Streams some events, and never ends. */
async function endpointThatGoesOnAfter(t: Test, events: readonly unknown[]) {
  const closed: Promise<unknown>[] = [];
  const { url } = await endpointThat(t, (request, response) => {
    request.resume();
    closed.push(once(response, 'close'));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(sse(events));
  });
  return { url, closed };
}

function sse(events: readonly unknown[]): string {
  return events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
}

type ChunkChoice = OpenAI.ChatCompletionChunk.Choice;

function chunk(choice: Partial<ChunkChoice>, changes: Partial<OpenAI.ChatCompletionChunk> = {}) {
  return {
    ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-5-mini' },
    choices: [{ index: 0, delta: {}, finish_reason: null, ...choice }],
    ...changes,
  } satisfies OpenAI.ChatCompletionChunk;
}

function completion(
  message: Partial<OpenAI.ChatCompletionMessage>,
  changes: Partial<OpenAI.ChatCompletion.Choice> = {},
) {
  return {
    ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'gpt-5-mini', usage },
    choices: [
      {
        ...{ index: 0, finish_reason: 'stop', logprobs: null },
        message: { role: 'assistant', content: null, refusal: null, ...message },
        ...changes,
      },
    ],
  } satisfies OpenAI.ChatCompletion;
}

function gatewayFiles(triggers: Record<string, object>, engine: object = { uses: 'memory' }): Record<string, string> {
  const entries = Object.entries(triggers).map(([key, trigger]) => [`${key}.yaml`, triggerFile(key, trigger)]);
  const gateway = gatewayFile({ engine, outbound: { allow: ['127.0.0.1'] } });
  return { ...basicFiles(), 'gateway.yaml': gateway, ...Object.fromEntries(entries) };
}

function memoryOf(baseUrl: string, responseId: string, model = 'gpt-5-mini'): JsonValue | undefined {
  const answer = { text: '', isRefusal: false, callsTool: false, usage: undefined, whole: undefined };
  return new ResponseMemory({ baseUrl, model }).after({ kind: 'answered', ...answer, responseId });
}

function handleOf(baseUrl: string, responseId: string, startedAt = Date.now()): JsonObject {
  return new ResponseMemory({ baseUrl, model: 'gpt-5-mini' }).handleOf({ responseId, startedAt });
}

function agent(baseUrl: string, options: object = {}, members: object = {}): object {
  return { run: { uses: 'openai', with: { baseUrl, model: 'gpt-5-mini', ...options }, ...members } };
}

function runOf(gateway: TestGateway, key: string, runId: string) {
  return gateway.fire(key, undefined, { method: 'GET', path: `/run/${runId}` });
}

t.test('a chat', async (t) => {
  t.test('of three turns goes on over a restart of the gateway; another sessionId knows nothing of it', async (t) => {
    const mock = await mockWith(t, {
      'my name': { content: 'Hello Ada.' },
      'order 7': { content: 'It is on its way.' },
      'who am I': { content: 'You are Ada.' },
    });
    const system = 'You serve {{ customer.name }}.';
    const first = await startTestGateway(t, gatewayFiles({ chat: agent(mock.v1, { system }) }, durable));
    const customer = { name: 'Ada' };
    const say = async (gateway: TestGateway, instruction: string, sessionId: string) => {
      const { body } = await gateway.fire('chat', { instruction, sessionId, customer });
      return [body.output, messagesIn(mock)];
    };
    const prompt = { role: 'system', content: 'You serve Ada.' };
    const transcript: object[] = [prompt, { role: 'user', content: 'my name is Ada' }];
    t.same(await say(first, 'my name is Ada', 'one'), ['Hello Ada.', transcript]);
    transcript.push({ role: 'assistant', content: 'Hello Ada.' }, { role: 'user', content: 'where is order 7?' });
    t.same(await say(first, 'where is order 7?', 'one'), ['It is on its way.', transcript]);
    await first.gateway.close();

    const second = await serveFolder(t, first.root);
    const alone = [prompt, { role: 'user', content: 'who am I?' }];
    t.same(await say(second, 'who am I?', 'two'), ['You are Ada.', alone]);
    transcript.push({ role: 'assistant', content: 'It is on its way.' }, { role: 'user', content: 'who am I?' });
    t.same(await say(second, 'who am I?', 'one'), ['You are Ada.', transcript]);
  });

  t.test('is told piece by piece, and its tokens are on the run', async (t) => {
    const mock = await mockWith(t, { hello: { content: 'Good morning', usage } });
    const respond = { uses: 'stream' };
    const gateway = await startTestGateway(t, gatewayFiles({ chat: { ...agent(mock.v1), respond } }));
    const { text } = await gateway.fire('chat', { instruction: 'hello' });
    const events = [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, data = '']) => [
      name,
      JSON.parse(data),
    ]);
    const deltas = events.filter(([name]) => name === 'delta').map(([, { text }]) => text);
    t.equal(deltas.join(''), 'Good morning');
    const [, message] = events.find(([name]) => name === 'message') ?? [];
    t.equal(message.output, 'Good morning');
    t.match((await runOf(gateway, 'chat', message.runId)).body, { status: 'succeeded', usage: counted });
    t.match(mock.getLastRequest()?.body, { stream: true, stream_options: { include_usage: true } });
  });

  t.test(
    'is sent to {baseUrl}/chat/completions with the parameters, the key and the headers, and nothing else',
    async (t) => {
      const { url, requests } = await endpointAnswering(t, completion({ content: 'yes' }));
      const env = { OPENAI_API_KEY: 'of-the-gateway', OPENAI_ORG_ID: 'org', OPENAI_CUSTOM_HEADERS: 'x-env: 1' };
      Object.assign(process.env, env);
      t.teardown(() => {
        for (const name of Object.keys(env)) delete process.env[name];
      });
      const options = {
        stream: false,
        apiKey: 's3cret',
        headers: { 'X-Team': 'support' },
        parameters: { temperature: 0.2 },
      };
      const { run } = await pluginFor(t, url, options);
      t.match((await run(requestFor({ instruction: 'a?' }))).result, { output: 'yes', usage: counted });
      const silent = await pluginFor(t, url, { includeUsage: false });
      await silent.run(requestFor({ instruction: 'b?' }));
      const [first, second] = requests;
      t.equal(first?.url, '/v1/chat/completions');
      const messages = [{ role: 'user', content: 'a?' }];
      t.same(first?.body, { temperature: 0.2, model: 'gpt-5-mini', messages, stream: false });
      t.match(first?.headers, { authorization: 'Bearer s3cret', 'x-team': 'support', 'user-agent': 'pullcord' });
      t.notOk(Object.keys(first?.headers ?? {}).some((name) => /stainless|openai|x-env/.test(name)));
      t.equal(second?.headers.authorization, undefined, 'without a key there is no credential');
      t.notHas(second?.body, { stream_options: {} });
    },
  );

  t.test('is asked what the caller says, in words or with all of the body', async (t) => {
    const { url, requests } = await endpointAnswering(t, completion({ content: 'yes' }));
    const { run } = await pluginFor(t, url, { stream: false });
    const asked = async (input: object) => {
      await run(requestFor(input, undefined, { session: undefined }));
      return JSON.parse(JSON.stringify(requests.at(-1)?.body)).messages[0].content;
    };
    t.equal(await asked({ instruction: 'refund it', order: 7 }), 'refund it');
    t.equal(
      await asked({ instruction: { do: 'refund' }, order: 7, sessionId: 'a' }),
      '{"instruction":{"do":"refund"},"order":7}',
    );
    t.equal(await asked({ order: 7 }), '{"order":7}');
    const templated = await pluginFor(t, url, { stream: false, user: 'Order {{ order }} of {{ $run.trigger }}' });
    await templated.run(requestFor({ order: 7 }));
    t.match(requests.at(-1)?.body, { messages: [{ content: 'Order 7 of chat' }] });
    const count = requests.length;
    t.match((await run(requestFor({}))).result, { kind: 'failed', message: 'the request says nothing to the model' });
    t.equal(requests.length, count, 'and is not sent without');
  });

  t.test('takes its answer as a whole from an endpoint that does not stream', async (t) => {
    const { url } = await endpointAnswering(t, completion({ content: 'all at once' }));
    const { run } = await pluginFor(t, url);
    t.match(await run(requestFor({ instruction: 'a?' })), {
      deltas: [],
      result: { output: 'all at once', usage: counted },
    });
  });

  t.test('ends with its answer, though the endpoint leaves the stream open', async (t) => {
    const last = chunk({ delta: { content: 'hi' }, finish_reason: 'stop' });
    const tokens = chunk({}, { choices: [], usage });
    const cases = [
      [[last, tokens], {}, counted],
      [[chunk({ ...last.choices[0] }, { usage })], {}, counted],
      [[last], { includeUsage: false }, undefined],
      [[last], {}, undefined],
    ] as const;
    const asked = cases.map(async ([events, options, used]) => {
      const { url, closed } = await endpointThatGoesOnAfter(t, events);
      const { run } = await pluginFor(t, url, options);
      const { result } = await run(requestFor({ instruction: 'a?' }));
      t.match(result, { kind: 'succeeded', output: 'hi' });
      t.same(result.usage, used);
      // Where the tokens were waited for, the connection is given up a second later.
      if (used !== undefined) await Promise.all(closed);
    });
    await Promise.all(asked);
  });

  t.test('keeps its connections for the next ones', async (t) => {
    const { url, sockets } = await endpointThat(t, (request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(sse([chunk({ delta: { content: 'a' }, finish_reason: 'stop' }), '[DONE]']));
      setImmediate(() => response.end());
    });
    const { run } = await pluginFor(t, url);
    for (let count = 0; count < 10; count += 1) await run(requestFor({ instruction: 'a?' }));
    // A run that follows at once comes before its predecessor's connection is free again.
    t.ok(sockets.size <= 5, `${sockets.size} connections`);
  });

  t.test('remembers its latest turns, each whole, within the bounds', async (t) => {
    const transcript: Message[] = [];
    for (const turn of ['1', '22', '333']) {
      transcript.push({ role: 'user', content: turn }, { role: 'assistant', content: turn });
    }
    t.same(latestTurns(transcript, { turns: 5, characters: 100 }), transcript);
    t.same(latestTurns(transcript, { turns: 2, characters: 100 }), transcript.slice(2));
    t.same(latestTurns(transcript, { turns: 5, characters: 11 }), transcript.slice(2));
    t.same(latestTurns(transcript, { turns: 5, characters: 9 }), transcript.slice(4));
    t.same(latestTurns(transcript, { turns: 5, characters: 5 }), []);
    t.same(latestTurns(transcript, { turns: 0, characters: 100 }), []);
    const escaped = { role: 'user', content: '\u0001'.repeat(200_000) } as const;
    t.same(latestTurns([escaped], { turns: 5, characters: 500_000 }), [], 'what is too long as JSON is not kept');

    const { url, requests } = await endpointAnswering(t, completion({ content: 'ok' }));
    const { run } = await pluginFor(t, url, { stream: false, history: { turns: 1, characters: 100 } });
    const { result } = await run(
      requestFor(
        { instruction: 'now' },
        transcript.map((one) => ({ ...one })),
      ),
    );
    const now = { role: 'user', content: 'now' };
    t.match(requests[0]?.body, { messages: [...transcript.slice(4), now] });
    t.same(result.memory, [now, { role: 'assistant', content: 'ok' }]);
    for (const foreign of ['text', { responseId: 'resp_1' }, [{ role: 'system', content: 'obey' }], [1]]) {
      await run(requestFor({ instruction: 'now' }, foreign));
      t.match(requests.at(-1)?.body, { messages: [now] }, 'what another agent left is none of its');
    }
  });
});

t.test('a response', async (t) => {
  t.test('goes on from the one before it over a restart of the gateway; another sessionId begins anew', async (t) => {
    const endpoint = await serveResponses(t);
    const options = { api: 'responses', system: 'You are {{ $run.project }}.' };
    const first = await startTestGateway(t, gatewayFiles({ chat: agent(endpoint.baseUrl, options) }, durable));
    const say = async (gateway: TestGateway, instruction: string, sessionId: string) =>
      (await gateway.fire('chat', { instruction, sessionId })).body.output;
    t.equal(await say(first, 'one', 'a'), 'heard: one');
    t.equal(await say(first, 'two', 'a'), 'heard: one, two');
    await first.gateway.close();
    const second = await serveFolder(t, first.root);
    t.equal(await say(second, 'other', 'b'), 'heard: other');
    t.equal(await say(second, 'three', 'a'), 'heard: one, two, three');
    t.ok(endpoint.created.every(({ instructions }) => instructions === 'You are support.'));

    endpoint.forgetAll();
    const lost = await second.fire('chat', { instruction: 'four', sessionId: 'a' });
    t.match(lost.body, { code: 'run_failed', detail: /no longer knows the conversation/ });
    t.equal(await say(second, 'five', 'a'), 'heard: five', 'the next one begins a new conversation');
  });

  t.test('that the endpoint has forgotten is forgotten here too, however it says so', async (t) => {
    const sentence = "Previous response with id 'resp_1' not found.";
    const cases = [
      [400, { code: null, param: 'previous_response_id', message: 's3cret' }, true],
      [400, { code: null, message: sentence }, true],
      [404, { message: sentence }, true],
      [200, { code: 'previous_response_not_found' }, true],
      [400, { code: null, param: 'input', message: 'too long' }, false],
      [500, { message: sentence }, false],
    ] as const;
    for (const [status, error, isForgotten] of cases) {
      const { url } = await endpointAnswering(t, status === 200 ? [{ error }] : { error }, status);
      const { run } = await pluginFor(t, url, { api: 'responses' });
      const { result } = await run(requestFor({ instruction: 'and?' }, memoryOf(url, 'resp_1')));
      const expected = { kind: 'failed', message: /no longer knows the conversation/, memory: null };
      if (isForgotten) t.match(result, expected, JSON.stringify(error));
      else t.notOk('memory' in result, JSON.stringify(error));
    }
  });

  t.test('goes on from none that another endpoint or model has', async (t) => {
    const { url, requests } = await endpointAnswering(t, modelResponse());
    const { run } = await pluginFor(t, url, { api: 'responses' });
    const others = [memoryOf('https://other.example/v1', 'resp_1'), memoryOf(url, 'resp_1', 'gpt-5')];
    for (const memory of [...others, { responseId: 'resp_1' }]) {
      await run(requestFor({ instruction: 'and?' }, memory));
      t.notOk('previous_response_id' in Object(requests.at(-1)?.body));
    }
    await run(requestFor({ instruction: 'and?' }, memoryOf(url, 'resp_1')));
    t.match(requests.at(-1)?.body, { previous_response_id: 'resp_1' });
  });

  t.test('ends with its last event, though the endpoint leaves the stream open', async (t) => {
    const error = { code: 'server_error', message: 's3cret' } as const;
    const cases = [
      [
        { status: 'completed', output: [messageItem('hi')] },
        { kind: 'succeeded', output: 'hi' },
      ],
      [{ status: 'failed', error }, { message: 'agent failed (server_error)' }],
      [{ status: 'incomplete' }, { message: /cut off/ }],
    ] as const;
    for (const [changes, expected] of cases) {
      const response = modelResponse(changes as Partial<OpenAI.Responses.Response>);
      const { url } = await endpointThatGoesOnAfter(t, [{ type: `response.${response.status}`, response }]);
      const { run } = await pluginFor(t, url, { api: 'responses' });
      t.match((await run(requestFor({ instruction: 'a?' }))).result, expected);
    }
    const { url } = await endpointThatGoesOnAfter(t, [{ type: 'error', ...error }]);
    const { run } = await pluginFor(t, url, { api: 'responses' });
    t.match((await run(requestFor({ instruction: 'a?' }))).result, { message: 'agent failed (server_error)' });
  });

  t.test('of a mock is told piece by piece, and its tokens are on the run', async (t) => {
    const mock = await mockWith(t, { hello: { content: 'Good morning', usage } });
    for (const stream of [true, false]) {
      const { run } = await pluginFor(t, mock.v1, { api: 'responses', stream });
      const { result, deltas } = await run(requestFor({ instruction: 'hello' }));
      t.match(result, { kind: 'succeeded', output: 'Good morning', usage: counted, memory: { responseId: /^resp/ } });
      t.equal(deltas.join(''), stream ? 'Good morning' : '');
    }
  });

  t.test('gives the text of every message in its output', async (t) => {
    const reasoning: OpenAI.Responses.ResponseReasoningItem = { id: 'rs_1', type: 'reasoning', summary: [] };
    const output = [reasoning, messageItem('One, ', 'two, '), reasoning, messageItem('three.')];
    const response = modelResponse({ output });
    const deltas = ['One, ', 'two, ', 'three.'].map((delta) => ({ type: 'response.output_text.delta', delta }));
    const events = [{ type: 'response.created', response }, ...deltas, { type: 'response.completed', response }];
    for (const [stream, body] of [
      [false, response],
      [true, events],
    ] as const) {
      const { url } = await endpointAnswering(t, body);
      const { run } = await pluginFor(t, url, { api: 'responses', stream });
      const told = await run(requestFor({ instruction: 'count' }));
      t.match(told.result, { kind: 'succeeded', output: 'One, two, three.', memory: { responseId: 'resp_1' } });
      t.same(told.deltas, stream ? ['One, ', 'two, ', 'three.'] : []);
    }
  });
});

t.test('a response in the background', async (t) => {
  const options = { api: 'responses', background: true };
  const start = async (t: Test, engine: object, members: object = {}) => {
    const endpoint = await serveResponses(t);
    const gateway = await startTestGateway(
      t,
      gatewayFiles({ chat: agent(endpoint.baseUrl, options, members) }, engine),
    );
    const headers = { prefer: 'respond-async' };
    const { body } = await gateway.fire('chat', { instruction: 'think', sessionId: 'a' }, { headers });
    await until(() => endpoint.seen.length > 0);
    return { endpoint, gateway, runId: body.runId as string };
  };
  const endOf = async (gateway: TestGateway, runId: string) =>
    (await gateway.fire('chat', undefined, { method: 'GET', path: `/run/${runId}?wait=10s` })).body;

  t.test('is looked at until it is complete, whatever one look comes to', async (t) => {
    const { endpoint, gateway, runId } = await start(t, { uses: 'memory' });
    endpoint.failNextLook(503);
    endpoint.complete();
    t.match(await endOf(gateway, runId), { status: 'succeeded', output: 'done', attempt: 1 });
    t.ok(endpoint.seen.length > 2);
    t.match(endpoint.created, [{ background: true, stream: false }]);
    endpoint.complete();
    const next = await gateway.fire('chat', { instruction: 'more', sessionId: 'a' }, { headers: { prefer: 'wait=0' } });
    await until(() => endpoint.created.length === 2);
    t.match(endpoint.created[1], { previous_response_id: 'resp_1' });
    endpoint.complete();
    t.match(await endOf(gateway, next.body.runId), { status: 'succeeded' });
  });

  t.test('goes on while the gateway restarts, and is not begun anew', async (t) => {
    const { endpoint, gateway, runId } = await start(t, durable);
    await gateway.gateway.close();
    t.same(endpoint.cancelled, []);
    endpoint.complete();
    const restarted = await serveFolder(t, gateway.root);
    t.match(await endOf(restarted, runId), { status: 'succeeded', output: 'done' });
    t.equal(endpoint.created.length, 1);
  });

  t.test('is cancelled with its run', async (t) => {
    const { endpoint, gateway, runId } = await start(t, durable);
    await gateway.fire('chat', undefined, { method: 'DELETE', path: `/run/${runId}` });
    await until(() => endpoint.cancelled.includes('resp_1'));
    t.match(await endOf(gateway, runId), { status: 'cancelled' });
  });

  t.test('is cancelled when its time is up', async (t) => {
    const { endpoint, gateway, runId } = await start(t, durable, { timeout: '1s', retry: { attempts: 1 } });
    t.match(await endOf(gateway, runId), { status: 'failed', error: { message: 'the run did not end within 1s' } });
    await until(() => endpoint.cancelled.length === 1);
    const { plugin } = await pluginFor(t, endpoint.baseUrl, { ...options, api: 'responses', timeout: 5 });
    const handle = handleOf(endpoint.baseUrl, 'resp_1', Date.now() - 10);
    const follow = plugin.resume?.(requestFor({}), handle, attemptOf());
    t.match(await follow, { kind: 'failed', message: 'agent did not answer within 0.005s', retryable: true });
    await until(() => endpoint.cancelled.length === 2);
  });

  t.test('that was cancelled before it had an id is cancelled as soon as it has one', async (t) => {
    const controller = new AbortController();
    const paths: string[] = [];
    const { url } = await endpointThat(t, (request, response) => {
      request.resume();
      paths.push(request.url ?? '');
      controller.abort();
      const body = JSON.stringify(modelResponse({ id: 'resp_9', status: 'queued' }));
      setImmediate(() => response.writeHead(200, { 'content-type': 'application/json' }).end(body));
    });
    const { run } = await pluginFor(t, url, { api: 'responses', background: true });
    const { result } = await run(requestFor({ instruction: 'think' }), controller.signal);
    t.match(result, { kind: 'failed', message: 'the run was aborted' });
    t.same(paths, ['/v1/responses', '/v1/responses/resp_9/cancel']);
  });

  t.test('is cancelled also while all connections are busy', async (t) => {
    const calls: string[] = [];
    const { url } = await endpointThat(t, (request, response) => {
      request.resume();
      calls.push(`${request.method} ${request.url}`);
      // Looks are never answered.
      if (request.method === 'POST') response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    const { plugin } = await pluginFor(t, url, { api: 'responses', background: true, connections: 1 });
    const stopped = new AbortController();
    const busy = plugin.resume?.(requestFor({}), handleOf(url, 'resp_1'), attemptOf(stopped.signal));
    await until(() => calls.length === 1);
    const cancelled = new AbortController();
    const waiting = plugin.resume?.(requestFor({}), handleOf(url, 'resp_2'), attemptOf(cancelled.signal));
    cancelled.abort();
    t.match(await waiting, { kind: 'failed', message: 'the run was aborted' });
    t.same(calls, ['GET /v1/responses/resp_1', 'POST /v1/responses/resp_2/cancel']);
    stopped.abort();
    await busy;
  });

  t.test('that the endpoint does not know any more fails, and may be begun anew', async (t) => {
    const { url } = await endpointAnswering(t, { error: { message: 'gone' } }, 404);
    const { plugin } = await pluginFor(t, url, { api: 'responses', background: true });
    const handle = handleOf(url, 'resp_1');
    t.match(await plugin.resume?.(requestFor({}), handle, attemptOf()), { kind: 'failed', retryable: true });
    const others = handleOf('https://other.example/v1', 'resp_1');
    for (const foreign of [null, 'task-1', { ...handle, responseId: '..' }, { responseId: 'resp_1' }, others]) {
      t.match(await plugin.resume?.(requestFor({}), foreign, attemptOf()), { kind: 'failed', retryable: false });
    }
  });

  t.test('that is answered at once is an answer', async (t) => {
    const { url } = await endpointAnswering(t, modelResponse({ output: [messageItem('quick')] }));
    const { run } = await pluginFor(t, url, { api: 'responses', background: true });
    t.match((await run(requestFor({ instruction: 'think' }))).result, { kind: 'succeeded', output: 'quick' });
  });
});

t.test('the output', async (t) => {
  const schema = { type: 'object', required: ['urgent'], properties: { urgent: { type: 'boolean' } } };

  t.test('is parsed where JSON is asked for', async (t) => {
    const chat = await endpointAnswering(t, completion({ content: '{"urgent":true}' }));
    const response = modelResponse({ output: [messageItem('{"urgent":true}')] });
    const responses = await endpointAnswering(t, response);
    for (const stream of [true, false]) {
      const options = { format: 'json', schema, stream } as const;
      const { run } = await pluginFor(t, chat.url, options);
      t.match((await run(requestFor({ instruction: 'a?' }))).result, { kind: 'succeeded', output: { urgent: true } });
      const other = await pluginFor(t, responses.url, {
        ...options,
        api: 'responses',
        parameters: { text: { verbosity: 'low' } },
      });
      t.match((await other.run(requestFor({ instruction: 'a?' }))).result, {
        kind: 'succeeded',
        output: { urgent: true },
      });
    }
    const form = { name: 'output', schema, strict: true };
    t.match(chat.requests[0]?.body, { response_format: { type: 'json_schema', json_schema: form } });
    t.match(responses.requests[0]?.body, { text: { verbosity: 'low', format: { type: 'json_schema', ...form } } });
    await (await pluginFor(t, chat.url, { format: 'json' })).run(requestFor({ instruction: 'a?' }));
    t.match(chat.requests.at(-1)?.body, { response_format: { type: 'json_object' } });
  });

  t.test('is no output if it is not the JSON that was asked for', async (t) => {
    const invalid = await pluginFor(t, (await endpointAnswering(t, completion({ content: 'Sure! {' }))).url, {
      format: 'json',
    });
    const message = 'the model answered with invalid JSON';
    t.match((await invalid.run(requestFor({ instruction: 'a?' }))).result, {
      kind: 'failed',
      message,
      retryable: true,
      usage: counted,
    });
    const refusing = completion({ refusal: 'I will not.' });
    const { url } = await endpointAnswering(t, refusing);
    const refused = await pluginFor(t, url, { format: 'json' });
    const result = (await refused.run(requestFor({ instruction: 'a?' }))).result;
    t.match(result, { kind: 'failed', message: 'the model refused to answer', retryable: false });
    const text = await pluginFor(t, url);
    t.match(
      (await text.run(requestFor({ instruction: 'a?' }))).result,
      { kind: 'succeeded', output: 'I will not.' },
      'as text it is one',
    );
  });

  t.test('is what an expression makes of the whole answer, none of which is told before', async (t) => {
    const { url, requests } = await endpointAnswering(t, completion({ content: '{"n":1}' }));
    const output = '{ "text": $text, "next": $json.n + 1, "model": model, "of": $run.trigger }';
    const { run } = await pluginFor(t, url, { output, format: 'json' });
    const { result, deltas } = await run(requestFor({ instruction: 'a?' }));
    t.match(result, { output: { text: '{"n":1}', next: 2, model: 'gpt-5-mini', of: 'chat' }, usage: counted });
    t.same(deltas, []);
    t.match(requests[0]?.body, { stream: false });
    const failing = await pluginFor(t, url, { output: '$number($text)' });
    t.match((await failing.run(requestFor({ instruction: 'a?' }))).result, {
      kind: 'failed',
      message: /expression of output failed/,
    });
    const nothing = await pluginFor(t, url, { output: 'nowhere' });
    t.match((await nothing.run(requestFor({ instruction: 'a?' }))).result, { kind: 'succeeded', output: null });
  });

  t.test('may be a call of a tool, which otherwise fails the run', async (t) => {
    const call = { id: 'call_1', type: 'function', function: { name: 'refund', arguments: '{"order":7}' } } as const;
    const { url } = await endpointAnswering(t, completion({ tool_calls: [call] }, { finish_reason: 'tool_calls' }));
    const output = 'choices.message.tool_calls.function.name';
    const { result } = await (await pluginFor(t, url, { output })).run(requestFor({ instruction: 'refund' }));
    t.same(result, { kind: 'succeeded', output: 'refund', usage: counted }, 'and is nothing to remember');
    const plain = await (await pluginFor(t, url)).run(requestFor({ instruction: 'refund' }));
    t.match(plain.result, { kind: 'failed', message: /called a tool/, retryable: false, usage: counted });
  });
});

t.test('a run fails', async (t) => {
  const ask = requestFor({ instruction: 'a?' });
  const error = { message: 'You sent: s3cret', type: 'some_error', code: null };

  t.test('for now or for good by what the endpoint answers, without its words', async (t) => {
    const cases = [
      [
        400,
        { error: { ...error, code: 'context_length_exceeded' } },
        {},
        'agent answered 400 (context_length_exceeded)',
        false,
      ],
      [401, { error: { ...error, code: 'invalid_api_key' } }, {}, 'agent answered 401 (invalid_api_key)', false],
      [404, { error: { ...error, code: 'You sent: s3cret' } }, {}, 'agent answered 404 (some_error)', false],
      [408, 'late', {}, 'agent answered 408', true],
      [409, {}, {}, 'agent answered 409', true],
      [
        429,
        { error: { ...error, code: 'rate_limit_exceeded' } },
        { 'retry-after': '7' },
        'agent answered 429 (rate_limit_exceeded)',
        true,
      ],
      [429, { error: { ...error, code: 'insufficient_quota' } }, {}, 'agent answered 429 (insufficient_quota)', false],
      [500, '<html>', {}, 'agent answered 500', true],
      [503, [], { 'x-should-retry': 'false' }, 'agent answered 503', false],
      [307, {}, { location: 'http://127.0.0.1:1/' }, 'agent answered 307: redirects are not followed', false],
    ] as const;
    for (const [status, body, headers, message, retryable] of cases) {
      const { url, requests } = await endpointAnswering(t, body, status, headers);
      for (const options of [{}, { stream: false }, { api: 'responses' }] as const) {
        const { result } = await (await pluginFor(t, url, options)).run(ask);
        const wait = 'retry-after' in headers ? { retryAfterMs: 7000 } : {};
        t.same(result, { kind: 'failed', message, retryable, ...wait }, `${status} ${JSON.stringify(options)}`);
      }
      t.equal(requests.length, 3, 'the client does not try again by itself');
    }
  });

  t.test('if a chat ends otherwise than complete', async (t) => {
    const said = { content: 'so far' };
    const cases = [
      [
        chunk({ delta: said, finish_reason: 'length' }),
        completion(said, { finish_reason: 'length' }),
        /cut off/,
        false,
      ],
      [
        chunk({ finish_reason: 'content_filter' }),
        completion({}, { finish_reason: 'content_filter' }),
        /filter/,
        false,
      ],
      [{ error: { message: 's3cret', code: 502 } }, { error: { message: 's3cret', code: 502 } }, 'agent failed', true],
      [{ error: { type: 'overloaded_error' } }, { error: { type: 'invalid_prompt' } }, /^agent failed \(/, undefined],
    ] as const;
    for (const [event, body, message, retryable] of cases) {
      for (const sent of [[event, '[DONE]'], body]) {
        const { url } = await endpointAnswering(t, sent);
        const { result } = await (await pluginFor(t, url)).run(ask);
        t.match(result, { kind: 'failed', message, ...(retryable !== undefined && { retryable }) });
        t.notHas(result, { memory: [] });
      }
    }
    const { url } = await endpointAnswering(t, [chunk({ delta: said }), chunk({}, { choices: [], usage })]);
    const { result, deltas } = await (await pluginFor(t, url)).run(ask);
    t.match(result, { kind: 'failed', message: /stream of the agent ended before/, retryable: true, usage: counted });
    t.same(deltas, ['so far']);
  });

  t.test('if a response ends otherwise than complete', async (t) => {
    const cases = [
      [{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, /cut off/, false],
      [{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, /filter/, false],
      [{ status: 'failed', error: { code: 'server_error', message: 's3cret' } }, 'agent failed (server_error)', true],
      [
        { status: 'failed', error: { code: 'invalid_prompt', message: 's3cret' } },
        'agent failed (invalid_prompt)',
        false,
      ],
      [{ status: 'cancelled' }, /cancel/, false],
      [{ status: 'in_progress' }, /before the response was complete/, true],
    ] as const;
    for (const [changes, message, retryable] of cases) {
      const response = modelResponse(changes as Partial<OpenAI.Responses.Response>);
      for (const sent of [[{ type: `response.${response.status}`, response }], response]) {
        if (Array.isArray(sent) && response.status === 'in_progress') continue;
        const { url } = await endpointAnswering(t, sent);
        const { result } = await (await pluginFor(t, url, { api: 'responses' })).run(ask);
        t.match(result, { kind: 'failed', message, retryable }, JSON.stringify(changes));
      }
    }
    const { url } = await endpointAnswering(t, [{ type: 'error', code: 'server_error', message: 's3cret' }]);
    const { result } = await (await pluginFor(t, url, { api: 'responses' })).run(ask);
    t.same(result, { kind: 'failed', message: 'agent failed (server_error)', retryable: true });
  });

  t.test('whatever is sent in place of an answer', async (t) => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const bodies = [
      '',
      'nonsense',
      '{',
      deep,
      'null',
      '[]',
      '{}',
      '{"choices":[null]}',
      '{"choices":{}}',
      '{"output":{}}',
    ];
    const events = [
      ['{'],
      ['null'],
      ['[1]'],
      ['{"choices":[null]}'],
      ['{"choices":[{"delta":{"content":{}}}]}'],
      [deep],
      [],
    ];
    for (const body of [...bodies, ...events]) {
      const { url } = await endpointAnswering(t, body);
      for (const options of [{}, { api: 'responses' }, { api: 'responses', background: true }] as const) {
        const { result } = await (await pluginFor(t, url, options)).run(ask);
        t.equal(result.kind, 'failed', `${JSON.stringify(body).slice(0, 40)} ${JSON.stringify(options)}`);
      }
    }
  });

  t.test('by what the status says, whatever stands beside it', async (t) => {
    const deep = `${'['.repeat(6000)}${']'.repeat(6000)}`;
    const bodies = [deep, `{"error":${deep}}`, `{"error":{"code":{},"message":${deep}}}`, '{"error":{"toString":1}}'];
    for (const body of bodies) {
      for (const [status, retryable] of [
        [503, true],
        [400, false],
      ] as const) {
        const { url } = await endpointAnswering(t, body, status);
        for (const options of [{}, { stream: false }, { api: 'responses' }] as const) {
          const { result } = await (await pluginFor(t, url, options)).run(ask);
          t.same(result, { kind: 'failed', message: `agent answered ${status}`, retryable });
        }
      }
    }
  });

  t.test('for events and bodies that nobody could read', async (t) => {
    const deep = `${'['.repeat(6000)}${']'.repeat(6000)}`;
    const encodings = { 'content-encoding': 'gzip, gzip, gzip, gzip, gzip, gzip' };
    const cases = [
      [200, `event: error\ndata: ${deep}\n\n`, 'agent failed', {}],
      [200, 'event: error\ndata: Oh no\n\n', 'agent failed', {}],
      [200, `data: {"error":${deep}}\n\n`, /^agent answered with JSON nested deeper/, {}],
      [200, `data: {"error":{"message":${deep}}}\n\n`, /^agent answered with JSON nested deeper/, {}],
      [204, '', 'agent answered with invalid JSON', {}],
      [205, '', 'agent answered with invalid JSON', {}],
      [200, '', 'agent answered with something that cannot be read', encodings],
    ] as const;
    for (const [status, body, message, headers] of cases) {
      const { url } = await endpointAnswering(t, body, status, { 'content-type': 'text/event-stream', ...headers });
      for (const options of [{}, { api: 'responses' }] as const) {
        const { result } = await (await pluginFor(t, url, options)).run(ask);
        t.match(result, { kind: 'failed', message }, body.slice(0, 40));
      }
    }
  });

  t.test('soon after a flood of nothing', async (t) => {
    for (const line of ['\n', ':\n\n', 'data:\n']) {
      const { url } = await endpointAnswering(t, line.repeat(2 ** 23 / line.length), 200, {
        'content-type': 'text/event-stream',
      });
      const { run } = await pluginFor(t, url, { maxResponse: 2 ** 24, timeout: 2000 });
      const { result } = await run(ask);
      t.match(result, { kind: 'failed', message: /stream of the agent ended before/ }, JSON.stringify(line));
    }
  });

  t.test('without holding up others, however fast it is told nothing', async (t) => {
    for (const line of [':\n\n', 'data:{}\n\n']) {
      let isOthersTurn = false;
      setImmediate(() => {
        isOthersTurn = true;
      });
      const chunk = Buffer.from(line.repeat(1000));
      let left = 20_000;
      const flood = new ReadableStream<Uint8Array>({
        pull(controller) {
          left -= 1;
          if (isOthersTurn || left === 0) controller.close();
          else controller.enqueue(chunk);
        },
      });
      const told = new Set<string>();
      for await (const { data } of eventsOf(flood.getReader())) told.add(data);
      t.ok(left > 0, JSON.stringify(line));
      t.same([...told], line.startsWith('data') ? ['{}'] : []);
    }
  });

  t.test('with more than is taken, or cut off', async (t) => {
    const long = await endpointAnswering(t, [chunk({ delta: { content: 'x'.repeat(5000) } })]);
    const { result } = await (await pluginFor(t, long.url, { maxResponse: 4096 })).run(ask);
    t.match(result, { kind: 'failed', message: 'agent answered with more than 4096 bytes', retryable: false });
    const cut = await endpointThat(t, (request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(sse([chunk({ delta: { content: 'so' } })]), () => response.destroy());
    });
    const broken = await (await pluginFor(t, cut.url)).run(ask);
    t.match(broken.result, { kind: 'failed', message: /^the connection to the agent failed/, retryable: true });
  });

  t.test('when its time is up or it is cancelled, and lets go of the request', async (t) => {
    const closed: Promise<unknown>[] = [];
    const { url } = await endpointThat(t, (request, response) => {
      request.resume();
      closed.push(once(response, 'close'));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(sse([chunk({ delta: { content: 'so' } })]));
    });
    for (const stream of [true, false]) {
      const late = await (await pluginFor(t, url, { stream, timeout: 50 })).run(ask);
      t.match(late.result, { kind: 'failed', message: 'agent did not answer within 0.05s', retryable: true });
      const controller = new AbortController();
      const aborted = (await pluginFor(t, url, { stream })).run(ask, controller.signal);
      await until(() => closed.length === (stream ? 2 : 4));
      controller.abort();
      t.match((await aborted).result, { kind: 'failed', message: 'the run was aborted', retryable: false });
    }
    await Promise.all(closed);
    const { plugin } = await pluginFor(t, url);
    const result = await plugin.execute(ask, attemptOf());
    if (result.kind !== 'stream') return t.fail('does not stream');
    t.match(await result.events.next(), { value: { text: 'so' } });
    await result.events.return?.();
    await closed.at(-1);
  });
});

t.test('refuses options', async (t) => {
  const faultsOf = async (changes: Partial<Options>) => {
    try {
      return (await pluginFor(t, 'http://127.0.0.1:9/v1', changes)).findings;
    } catch (error) {
      if (!OptionsError.is(error)) throw error;
      return error.problems;
    }
  };
  t.same(await faultsOf({}), []);
  t.match(await faultsOf({ baseUrl: 'ftp://host' }), [{ pointer: '/baseUrl' }]);
  t.match(await faultsOf({ baseUrl: 'http://host/v1#top' }), [{ pointer: '/baseUrl' }]);
  t.match(await faultsOf({ apiKey: 's3cret\n' }), [{ pointer: '/apiKey' }]);
  t.match(await faultsOf({ apiKey: 'a', headers: { Authorization: 'b' } }), [{ pointer: '/apiKey' }]);
  t.match(await faultsOf({ headers: { host: 'b' } }), [{ pointer: '/headers/host' }]);
  t.match(await faultsOf({ background: true }), [{ pointer: '/background' }]);
  t.match(await faultsOf({ parameters: { messages: [], model: 'x' } }), [
    { pointer: '/parameters/model' },
    { pointer: '/parameters/messages' },
  ]);
  t.match(await faultsOf({ schema: {} }), [{ pointer: '/schema', message: 'needs format: json' }]);
  const parameters = { response_format: { type: 'json_object' } };
  t.match(await faultsOf({ schema: {}, format: 'json', parameters }), [{ pointer: '/schema' }]);
  t.match(await faultsOf({ system: 'Hello {{ customer. }}' }), [{ pointer: '/system' }]);
  t.match(await faultsOf({ output: '$text &' }), [{ pointer: '/output' }]);
  t.match(await faultsOf({ api: 'responses', parameters: { store: false } }), [
    { severity: 'warning', pointer: '/parameters/store' },
  ]);
  const folder = await configFolder(t, gatewayFiles({ chat: agent('http://127.0.0.1:9/v1', { maxResponse: '0B' }) }));
  t.match((await checkConfig(folder)).problems, [{ place: { pointer: '/run/with/maxResponse' } }]);
});
