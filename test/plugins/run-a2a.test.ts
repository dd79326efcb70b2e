import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Task, TaskState } from '@a2a-js/sdk';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import a2a from '../../plugins/run/a2a/index.ts';
import type { Options } from '../../plugins/run/a2a/options.gen.ts';
import { type AgentEvent, TaskAnswer } from '../../plugins/run/a2a/task-answer.ts';
import { ToldText } from '../../plugins/run/a2a/told-text.ts';
import {
  type FinalRunResult,
  type JsonObject,
  type JsonValue,
  OptionsError,
  type RunRequest,
  type Session,
} from '../../src/contract/index.ts';
import { AttemptReleased } from '../../src/engine/types/index.ts';
import { compileSchema } from '../../src/schema/validator.ts';
import { type A2aAgentOptions, startA2aAgent, statusOf, textPart } from '../support/a2a-agent.ts';
import { attemptOf } from '../support/attempt.ts';
import { basicFiles, durable, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { callingContext } from '../support/exchange.ts';
import { serveFolder, startTestGateway, type TestGateway, until } from '../support/gateway.ts';

const never = new AbortController().signal;
const versions = ['1.0', '0.3'] as const;

/** What the two versions call the same. */
const names = {
  '1.0': { send: 'SendMessage', stream: 'SendStreamingMessage', get: 'GetTask', cancel: 'CancelTask' },
  '0.3': { send: 'message/send', stream: 'message/stream', get: 'tasks/get', cancel: 'tasks/cancel' },
};
const subscribe = { '1.0': 'SubscribeToTask', '0.3': 'tasks/resubscribe' };

const defaults: Omit<Options, 'url'> = {
  ...{ headers: {}, data: false, stream: true, timeout: 20_000, maxResponse: 2 ** 20, connections: 128 },
};

function requestFor(instruction: unknown, memory?: JsonValue, changes: Partial<RunRequest> = {}): RunRequest {
  const session: Session = { memory, remember() {} };
  return {
    ...{ id: '01890a5d-ac96-774b-bcce-b302099a8057', project: 'support', trigger: 'talk', attempt: 1 },
    ...{ sessionId: 'one', session, completionUrl: '/completion' },
    input: { environment: 'api', language: 'en', ...(instruction !== undefined && { instruction }) },
    ...changes,
  } as RunRequest;
}

interface Told {
  readonly result: FinalRunResult;
  readonly deltas: readonly string[];
}

/** The plugin with these options, and what it tells of a run, as the gateway would drive it. */
function pluginFor(t: Test, url: string, changes: Partial<Options> = {}) {
  const { context } = callingContext(t);
  const plugin = a2a.create(context, { url, ...defaults, ...changes });
  const run = async (request: RunRequest, signal = never): Promise<Told> => {
    const deltas: string[] = [];
    let result = await plugin.execute(request, attemptOf(signal));
    for (;;) {
      if (result.kind === 'detached') {
        result = await plugin.resume(request, result.handle, attemptOf(signal));
      } else if (result.kind === 'stream') {
        const next = await result.events.next();
        if (next.done) result = next.value;
        else deltas.push(next.value.text);
      } else {
        return { result, deltas };
      }
    }
  };
  return { run, plugin, say: (instruction: unknown, memory?: JsonValue) => run(requestFor(instruction, memory)) };
}

/** An agent and the plugin that calls it. */
async function pairFor(t: Test, options: A2aAgentOptions = {}, changes: Partial<Options> = {}) {
  const agent = await startA2aAgent(t, options);
  return { agent, ...pluginFor(t, agent.url, changes) };
}

function filesFor(
  url: string,
  options: object = {},
  members: object = {},
  gateway: object = {},
): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ outbound: { allow: ['127.0.0.1'] }, ...gateway }),
    'talk.yaml': triggerFile('talk', { run: { uses: 'a2a', with: { url, ...options } }, ...members }),
  };
}

/** The pieces that a caller is told of a run, until it ends. */
async function streamOf(gateway: TestGateway, runId: string) {
  const address = `${gateway.url}/api/v1.0/project/support/trigger/talk/run/${runId}`;
  const headers = { 'x-api-key': secrets.website, accept: 'text/event-stream' };
  const events: { event: string | undefined; data: JsonValue & { text?: string; output?: JsonValue } }[] = [];
  const parser = createParser({ onEvent: ({ event, data }) => void events.push({ event, data: JSON.parse(data) }) });
  const response = await fetch(address, { headers });
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    parser.feed(chunk as string);
  }
  return events;
}

for (const version of versions) {
  const { send, stream, get, cancel } = names[version];

  t.test(`with an agent of ${version}`, async (t) => {
    t.test('speaks its version, learned from its card', async (t) => {
      const { agent, run } = await pairFor(t, { version }, { headers: { Authorization: 'Bearer s3cret' } });
      const request = requestFor('hello');
      await run(request);
      await run(request);
      t.same(agent.methods(), ['card', stream, stream], 'and reads the card once');
      const [card, call] = agent.calls;
      t.match(card?.headers, { 'a2a-version': '1.0', authorization: 'Bearer s3cret', 'user-agent': 'pullcord' });
      t.match(call?.headers, { 'a2a-version': version, authorization: 'Bearer s3cret', 'user-agent': 'pullcord' });
      const { message } = call?.params ?? {};
      t.equal(message.messageId, request.id, 'so that the agent can tell a repeated attempt');
      t.equal(message.role, version === '1.0' ? 'ROLE_USER' : 'user');
      t.same(message.parts, version === '1.0' ? [{ text: 'hello' }] : [{ kind: 'text', text: 'hello' }]);
    });

    t.test('goes on with a conversation over a restart, of which another one knows nothing', async (t) => {
      const agent = await startA2aAgent(t, { version });
      const first = await startTestGateway(t, filesFor(agent.url, {}, {}, { engine: durable }));
      const outputOf = async (gateway: TestGateway, instruction: string, sessionId?: string) => {
        const { body } = await gateway.fire('talk', { instruction, ...(sessionId && { sessionId }) });
        return body.output;
      };
      t.equal(await outputOf(first, 'one', 'a'), 'turn 1 after []');
      t.equal(await outputOf(first, 'two', 'a'), 'turn 2 after [one]');
      await first.gateway.close();
      const second = await serveFolder(t, first.root);
      t.equal(await outputOf(second, 'three', 'a'), 'turn 3 after [one, two]');
      t.equal(await outputOf(second, 'four', 'b'), 'turn 1 after []');
      t.equal(await outputOf(second, 'five'), 'turn 1 after []', 'nor does a request without a sessionId');
    });

    t.test('tells the text of the output as it comes, piece by piece', async (t) => {
      const { say } = await pairFor(t, { version });
      const spelled = await say('spell a b c');
      t.same(spelled, {
        deltas: ['a ', 'b ', 'c '],
        result: { kind: 'succeeded', output: 'a b c ', ...remembers(spelled) },
      });
      const interleaved = await say('interleave');
      t.same(interleaved.deltas, ['one ', 'two\n\nthree ', 'four'], 'each artifact after the ones before it');
      t.match(interleaved.result, { output: 'one two\n\nthree four' });
      t.match(await say('say done'), { deltas: ['done'], result: { output: 'done' } });
      t.match(await say('message hi'), { deltas: [], result: { kind: 'succeeded', output: 'hi' } });
      t.match(await say('data'), { deltas: [], result: { output: { total: 3 } } });
      t.match(await say('mixed'), { deltas: ['{"total":3} in all'], result: { output: '{"total":3} in all' } });
    });

    t.test('asks after a task if its card says that it does not stream', async (t) => {
      const { agent, run } = await pairFor(t, { version, streaming: false });
      const told = run(requestFor('wait x'));
      const task = await until(() => agent.agent.waiting.get('x'));
      await until(() => agent.methods().includes(get));
      task.make('answer', [textPart('at last')]);
      task.say(TaskState.TASK_STATE_COMPLETED);
      task.end();
      t.match((await told).result, { kind: 'succeeded', output: 'at last', memory: { contextId: task.contextId } });
      const [, sent, asked] = agent.calls;
      t.equal(sent?.method, send);
      t.match(sent?.params.configuration, version === '1.0' ? { returnImmediately: true } : { blocking: false });
      t.match(asked?.params, { id: task.taskId });
    });

    t.test('hands its question on, and answers the same task', async (t) => {
      const agent = await startA2aAgent(t, { version });
      const gateway = await startTestGateway(t, filesFor(agent.url));
      const fire = async (instruction: string) => (await gateway.fire('talk', { instruction, sessionId: 'a' })).body;
      t.match(await fire('ask'), { status: 'input_required', output: 'Which order?' });
      t.match(await fire('order 7'), { status: 'succeeded', output: 'You answered: order 7' });
      t.match(await fire('hello'), { status: 'succeeded', output: 'turn 1 after []' });
      t.match(await fire('draft'), { status: 'input_required', output: 'A draft.\n\nIs it right?' });
      const [asked, answered, greeted] = agent.calls
        .filter(({ method }) => method === stream)
        .map(({ params }) => params);
      t.notOk(asked.message.taskId ?? asked.message.contextId);
      t.ok(answered.message.taskId && answered.message.contextId);
      t.equal(greeted.message.contextId, answered.message.contextId);
      t.notOk(greeted.message.taskId);
    });

    t.test('is told when its run is cancelled', async (t) => {
      const agent = await startA2aAgent(t, { version });
      const gateway = await startTestGateway(t, filesFor(agent.url, {}, { respond: { uses: 'accepted' } }));
      const { body } = await gateway.fire('talk', { instruction: 'wait x' });
      const { taskId } = await until(() => agent.agent.waiting.get('x'));
      await gateway.fire('talk', undefined, { method: 'DELETE', path: `/run/${body.runId}` });
      await until(() => agent.agent.cancelled.includes(taskId));
      t.equal(agent.methods().at(-1), cancel);
    });

    for (const streaming of [true, false]) {
      t.test(
        `goes on with its task over a restart, ${streaming ? 'subscribed to it' : 'asking after it'}`,
        async (t) => {
          const agent = await startA2aAgent(t, { version, streaming });
          const members = { respond: { uses: 'accepted' } };
          const first = await startTestGateway(t, filesFor(agent.url, {}, members, { engine: durable }));
          const { body } = await first.fire('talk', { instruction: 'wait x', sessionId: 'a' });
          const task = await until(() => agent.agent.waiting.get('x'));
          task.make('answer', [textPart('begun ')]);
          await until(() => agent.methods().includes(streaming ? stream : get));
          await first.gateway.close();
          const before = agent.calls.length;
          const second = await serveFolder(t, first.root);
          const told = streamOf(second, body.runId);
          const follow = streaming ? subscribe[version] : get;
          await until(() => agent.methods().slice(before).includes(follow));
          task.make('answer', [textPart('and done')], true);
          task.say(TaskState.TASK_STATE_COMPLETED);
          task.end();
          const events = await told;
          const deltas = events.filter(({ event }) => event === 'delta').map(({ data }) => data.text);
          const message = events.find(({ event }) => event === 'message');
          t.match(message?.data, { status: 'succeeded', output: 'begun and done' });
          t.equal(deltas.join(''), 'begun and done');
          t.equal(agent.methods().filter((method) => method === (streaming ? stream : send)).length, 1);
          t.same(agent.agent.cancelled, [], 'and is not told to stop');
        },
      );
    }
  });
}

/** Its memory, which no test can know. */
function remembers({ result }: Told) {
  return { memory: result.memory };
}

/** A call to an agent that is only made up, and what answers it. */
interface Call {
  readonly id: number;
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
  readonly params: any;
}
type Answering = (call: Call, response: ServerResponse) => unknown;

/** A server whose answers no honest agent would give. */
async function agentThat(t: Test, answer: Answering, card: (url: string) => object = cardOf()) {
  const sockets = new Set<Socket>();
  const methods: string[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      methods.push('card');
      response.setHeader('content-type', 'application/json').end(JSON.stringify(card(url)));
      return;
    }
    const call = JSON.parse(await text(request));
    methods.push(call.method);
    answer(call, response);
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, methods, sockets };
}

function cardOf({ version = '1.0', streaming = false } = {}) {
  return (url: string) => ({
    supportedInterfaces: [{ url: `${url}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: version }],
    capabilities: { streaming },
  });
}

function reply(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  const content = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(content);
}

function resultOf({ id }: Call, result: unknown): object {
  return { jsonrpc: '2.0', id, result };
}

function errorOf({ id }: Call, code: unknown): object {
  return { jsonrpc: '2.0', id, error: { code, message: 'the secret is 42' } };
}

function taskIn(state: string, members: object = {}): object {
  return { id: 'task-1', contextId: 'context-1', status: { state: `TASK_STATE_${state}` }, ...members };
}

t.test('fails', async (t) => {
  t.test('with what became of the task, and without its words', async (t) => {
    const { agent, say } = await pairFor(t);
    const cases = [
      ['fail', 'the task failed', true],
      ['reject', 'agent rejected the task', false],
      ['authorize', 'the task needs an authorization that a run cannot give', false],
    ] as const;
    for (const [command, message, retryable] of cases) {
      const { result } = await say(command);
      t.match(result, { kind: 'failed', message, retryable, memory: { contextId: String, taskId: undefined } });
    }
    t.equal(agent.agent.cancelled.length, 1, 'and has what waits for an authorization not go on');
    const told = say('wait x');
    const task = await until(() => agent.agent.waiting.get('x'));
    task.say(TaskState.TASK_STATE_CANCELED);
    task.end();
    t.match((await told).result, { message: 'the task was cancelled at the agent', retryable: false });
  });

  t.test('when the time is up, and has the task cancelled', async (t) => {
    for (const streaming of [true, false]) {
      const { agent, say } = await pairFor(t, { streaming }, { timeout: 200 });
      const { result } = await say('wait x');
      t.match(result, { kind: 'failed', message: 'agent did not answer within 0.2s', retryable: true });
      t.equal(agent.agent.cancelled.length, 1);
    }
  });

  t.test('on statuses, and says which may pass', async (t) => {
    let status = 0;
    const { url } = await agentThat(t, (call, response) =>
      reply(response, status, errorOf(call, -32602), { 'retry-after': '7' }),
    );
    const { say } = pluginFor(t, url);
    for (const [code, retryable] of [
      [401, false],
      [403, false],
      [429, true],
      [503, true],
    ] as const) {
      status = code;
      t.match((await say('hello')).result, {
        ...{ kind: 'failed', message: `agent answered ${code}`, retryable, retryAfterMs: 7_000 },
      });
    }
    status = 302;
    t.match((await say('hello')).result, {
      message: 'agent answered 302: redirects are not followed',
      retryable: false,
    });
  });

  t.test('on errors of JSON-RPC, whatever their status, and never repeats them', async (t) => {
    const cases = [
      [-32700, 'parse error', false],
      [-32602, 'invalid parameters', false],
      [-32603, 'internal error', true],
      [-32001, 'task not found', false],
      [-32004, 'unsupported operation', false],
      [-32005, 'content type not supported', false],
      [-32006, 'invalid agent response', true],
      [-32009, 'version not supported', false],
      [-32042, undefined, true],
      [7, undefined, false],
    ] as const;
    let code: unknown;
    let status = 200;
    for (const version of versions) {
      const { url } = await agentThat(
        t,
        (call, response) => reply(response, status, errorOf(call, code)),
        cardOf({ version }),
      );
      const { say } = pluginFor(t, url);
      for (const [number, name, retryable] of cases) {
        code = number;
        status = status === 200 ? 500 : 200;
        const message = `agent answered with the error ${number}${name === undefined ? '' : ` (${name})`}`;
        t.same((await say('hello')).result, { kind: 'failed', message, retryable });
      }
      code = 'none';
      t.same((await say('hello')).result, notA2a);
    }
  });

  t.test('on an answer that is none', async (t) => {
    const deep = `${'['.repeat(300)}${']'.repeat(300)}`;
    const cases: [string, (call: Call) => unknown, string?][] = [
      ['no JSON', () => '{"jsonrpc":', 'agent answered with invalid JSON'],
      [
        'deep JSON',
        ({ id }) => `{"jsonrpc":"2.0","id":${id},"result":${deep}}`,
        'agent answered with JSON nested deeper than 200 levels',
      ],
      [
        'a prototype',
        ({ id }) => `{"jsonrpc":"2.0","id":${id},"result":{"__proto__":{}}}`,
        'agent answered with JSON that has a member named __proto__',
      ],
      ['another id', () => ({ jsonrpc: '2.0', id: 'x', result: {} })],
      ['no JSON-RPC', () => ({ answer: 42 })],
      ['nothing in it', (call) => resultOf(call, null)],
      ['neither task nor message', (call) => resultOf(call, { kind: 'thing', thing: {} })],
      [
        'a file whose bytes are but a length',
        (call) => resultOf(call, fileOf({ length: 2 ** 31 })),
        'agent answered with a file that is no text',
      ],
    ];
    for (const version of versions) {
      let answer: (call: Call) => unknown = () => undefined;
      const { url } = await agentThat(t, (call, response) => reply(response, 200, answer(call)), cardOf({ version }));
      const { say } = pluginFor(t, url);
      for (const [name, next, message = notA2a.message] of cases) {
        answer = next;
        t.match((await say('hello')).result, { kind: 'failed', message, retryable: false }, `${name}, of ${version}`);
      }
    }
  });

  t.test('on ids that cannot be kept', async (t) => {
    let task: object = {};
    const { url } = await agentThat(t, (call, response) => reply(response, 200, resultOf(call, { task })));
    const { say } = pluginFor(t, url);
    task = taskIn('WORKING', { id: 'x'.repeat(2000) });
    t.match((await say('hello')).result, { message: 'agent answered with an id that is too long', retryable: false });
    task = taskIn('WORKING', { id: '' });
    t.match((await say('hello')).result, { message: 'agent answered with a task that has no id', retryable: false });
    task = taskIn('DREAMING');
    t.match((await say('hello')).result, { message: 'the task came into a state that A2A 1.0 does not know' });
  });

  t.test('on what an agent of 0.3 says is a text and is none', async (t) => {
    const parts = [
      { kind: 'text', text: { toString: 1 } },
      { kind: 'text', text: 'but this' },
    ];
    const message = { kind: 'message', messageId: 'm', role: 'agent', parts };
    let contextId: unknown = 'context-1';
    const { url } = await agentThat(
      t,
      (call, response) => reply(response, 200, resultOf(call, { ...message, contextId })),
      cardOf({ version: '0.3' }),
    );
    const { say } = pluginFor(t, url);
    t.match((await say('hello')).result, { kind: 'succeeded', output: 'but this' });
    contextId = { length: 1 };
    t.match((await say('hello')).result, { message: 'agent answered with an id that is not a text', retryable: false });
  });

  t.test('on more than may come', async (t) => {
    const { url } = await agentThat(t, (call, response) => reply(response, 200, resultOf(call, 'x'.repeat(2000))));
    const { result } = await pluginFor(t, url, { maxResponse: 1000 }).say('hello');
    t.same(result, { kind: 'failed', message: 'agent answered with more than 1000 bytes', retryable: false });
  });

  t.test('for good if the task that it answers is gone, so that the next request begins anew', async (t) => {
    // The server tells of it on the console.
    t.capture(console, 'error');
    const { agent, say } = await pairFor(t);
    const { memory } = (await say('message hi')).result as { memory: JsonObject };
    const { result } = await say('order 7', { ...memory, contextId: 'context-1', taskId: 'gone' });
    const reason = 'agent answered with the error -32001 (task not found)';
    t.match(result, { message: `${reason}: the task that asked is given up, and the next request begins a new one` });
    t.match(result, { kind: 'failed', retryable: false, memory: { contextId: 'context-1', taskId: undefined } });
    t.match((await say('hello', result.memory)).result, {
      output: 'turn 1 after []',
      memory: { contextId: 'context-1' },
    });
    t.equal(agent.calls.at(-1)?.params.message.contextId, 'context-1');
  });

  t.test('if the agent does not know the conversation any more, and begins a new one the next time', async (t) => {
    for (const streaming of [true, false]) {
      const sent: unknown[] = [];
      let code = 0;
      const { url } = await agentThat(
        t,
        (call, response) => {
          const { contextId } = call.params.message;
          sent.push(contextId);
          if (contextId !== undefined && contextId !== '') return reply(response, 200, errorOf(call, code));
          const message = { messageId: 'm', contextId: 'context-1', role: 'ROLE_AGENT', parts: [{ text: 'hi' }] };
          if (!streaming) return reply(response, 200, resultOf(call, { message }));
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.end(`data: ${JSON.stringify(resultOf(call, { message }))}\n\n`);
        },
        cardOf({ streaming }),
      );
      const { say } = pluginFor(t, url);
      const greeted = (await say('hello')).result;
      t.match(greeted, { output: 'hi', memory: { contextId: 'context-1' } });
      for (code of [-32602, -32600, -32001]) {
        const { result } = await say('hello', greeted.memory);
        const message = /\): the conversation is given up, and the next request begins a new one$/;
        t.match(result, { kind: 'failed', retryable: false, message });
        t.strictSame(result.memory, {});
        t.match((await say('hello', result.memory)).result, { output: 'hi' });
      }
      for (code of [-32005, -32603]) {
        const { result } = await say('hello', greeted.memory);
        t.notMatch(result, { message: /given up/ });
        t.notMatch(result, { memory: {} }, 'so that the session remembers what it did');
      }
    }
  });

  t.test('if the agent forgets the task that it works on', async (t) => {
    const { url, methods } = await agentThat(t, (call, response) => {
      const isSent = call.method === 'SendMessage';
      reply(response, 200, isSent ? resultOf(call, { task: taskIn('WORKING') }) : errorOf(call, -32001));
    });
    const { result } = await pluginFor(t, url).say('hello');
    t.match(result, { kind: 'failed', message: 'agent does not know the task any more', retryable: true });
    t.same(methods, ['card', 'SendMessage', 'GetTask']);
  });

  t.test('if the agent tells of another task than the one that is asked after', async (t) => {
    const { url } = await agentThat(t, (call, response) => {
      const task = taskIn('COMPLETED', { id: 'task-2' });
      reply(response, 200, resultOf(call, call.method === 'SendMessage' ? { task: taskIn('WORKING') } : task));
    });
    const message = 'agent answered with another task than it was asked after';
    t.match((await pluginFor(t, url).say('hello')).result, { kind: 'failed', message, retryable: false });
  });

  t.test('to follow what another agent has begun, whose ids it is not told either', async (t) => {
    const first = await pairFor(t, { streaming: false });
    const second = await pairFor(t, { streaming: false });
    const { result } = await first.say('ask');
    t.match(result, { kind: 'input_required', memory: { contextId: String, taskId: String } });
    t.match((await second.say('hello', result.memory)).result, { output: 'turn 1 after []' });
    const { message } = second.agent.calls[1]?.params ?? {};
    t.notOk(message.contextId || message.taskId);
    const begun = await first.plugin.execute(requestFor('wait x'), attemptOf());
    if (begun.kind !== 'detached') throw new Error(begun.kind);
    const before = second.agent.calls.length;
    const followed = await second.plugin.resume(requestFor('wait x'), begun.handle, attemptOf());
    t.match(followed, { message: 'what another agent has begun cannot be followed', retryable: false });
    t.equal(second.agent.calls.length, before);
    (await until(() => first.agent.agent.waiting.get('x'))).end();
  });

  t.test('to follow what another plugin has begun', async (t) => {
    const { plugin } = pluginFor(t, 'http://127.0.0.1:1/');
    for (const handle of [null, 'job-1', { jobId: 1 }, { taskId: 7, endsAt: 1 }]) {
      t.match(await plugin.resume(requestFor('hello'), handle, attemptOf()), { kind: 'failed', retryable: false });
    }
  });
});

const notA2a = { kind: 'failed', message: 'agent answered with something that is not A2A', retryable: false };

/** A task, of both versions at once, with a file in it. */
function fileOf(bytes: unknown): object {
  const parts = [{ kind: 'file', raw: bytes, file: { bytes } }];
  const task = { id: 'task-1', contextId: 'c', artifacts: [{ artifactId: 'a', parts }] };
  return {
    ...task,
    kind: 'task',
    status: { state: 'completed' },
    task: { ...task, status: { state: 'TASK_STATE_COMPLETED' } },
  };
}

t.test('keeps to a task', async (t) => {
  t.test('whose stream is cut, and asks after it', async (t) => {
    const { agent, run } = await pairFor(t);
    const told = run(requestFor('wait x'));
    const task = await until(() => agent.agent.waiting.get('x'));
    task.make('answer', [textPart('before ')]);
    await until(() => agent.methods().includes('SendStreamingMessage'));
    agent.cut();
    await until(() => agent.methods().includes('GetTask'));
    task.make('answer', [textPart('and after')], true);
    task.say(TaskState.TASK_STATE_COMPLETED);
    task.end();
    const { result, deltas } = await told;
    t.match(result, { kind: 'succeeded', output: 'before and after' });
    t.equal(deltas.join(''), 'before and after');
    t.notOk(agent.methods().includes('CancelTask'));
  });

  t.test('whose artifacts have no ids', async (t) => {
    const artifacts = [{ parts: [{ text: 'one' }] }, { parts: [{ text: 'two' }] }];
    const task = taskIn('COMPLETED', { artifacts });
    const { url } = await agentThat(t, (call, response) => reply(response, 200, resultOf(call, { task })));
    t.match((await pluginFor(t, url).say('hello')).result, { kind: 'succeeded', output: 'one\n\ntwo' });
  });

  t.test('whose stream holds what cannot be taken', async (t) => {
    const { url, methods } = await agentThat(
      t,
      (call, response) => {
        if (call.method === 'GetTask') return reply(response, 200, resultOf(call, taskIn('COMPLETED')));
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: ${JSON.stringify(resultOf(call, { task: taskIn('WORKING') }))}\n\n`);
        response.end(`data: ${'['.repeat(100_000)}\n\n`);
      },
      cardOf({ streaming: true }),
    );
    t.match((await pluginFor(t, url).say('hello')).result, { kind: 'succeeded', output: null });
    t.same(methods, ['card', 'SendStreamingMessage', 'GetTask']);
  });

  t.test('while its agent is in trouble, and waits as long as it is asked to', async (t) => {
    const troubles = [503, 0];
    const { url, methods } = await agentThat(t, (call, response) => {
      if (call.method === 'SendMessage') return reply(response, 200, resultOf(call, { task: taskIn('WORKING') }));
      const status = troubles.shift();
      if (status === 0) response.destroy();
      else if (status === undefined) reply(response, 200, resultOf(call, taskIn('COMPLETED')));
      else reply(response, status, {}, { 'retry-after': '0' });
    });
    t.match((await pluginFor(t, url).say('hello')).result, { kind: 'succeeded' });
    t.equal(methods.length, 5);
  });

  t.test('but not of an agent that refuses to tell', async (t) => {
    const { url } = await agentThat(t, (call, response) => {
      if (call.method === 'SendMessage') return reply(response, 200, resultOf(call, { task: taskIn('WORKING') }));
      return reply(response, 403, {});
    });
    t.match((await pluginFor(t, url).say('hello')).result, { message: 'agent answered 403', retryable: false });
  });

  t.test('that it is not told of piece by piece from the start, without telling pieces for the whole', async (t) => {
    const { url, methods } = await agentThat(
      t,
      (call, response) => {
        if (call.method === 'GetTask') {
          const artifacts = [{ artifactId: 'a', parts: [{ text: 'all of it' }] }];
          return reply(response, 200, resultOf(call, taskIn('COMPLETED', { artifacts })));
        }
        const artifact = { artifactId: 'a', parts: [{ text: 'it' }] };
        const update = { taskId: 'task-1', contextId: 'context-1', artifact, append: true };
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: ${JSON.stringify(resultOf(call, { artifactUpdate: update }))}\n\n`);
      },
      cardOf({ streaming: true }),
    );
    const begun = await pluginFor(t, url).plugin.execute(requestFor('hello'), attemptOf());
    if (begun.kind !== 'detached') throw new Error(begun.kind);
    methods.length = 0;
    const { plugin } = pluginFor(t, url);
    const followed = await plugin.resume(requestFor('hello'), begun.handle, attemptOf());
    if (followed.kind !== 'stream') throw new Error(followed.kind);
    t.same((await followed.events.next()).value, { kind: 'delta', text: 'all of it' });
    t.match(await followed.events.next(), { done: true, value: { output: 'all of it' } });
    t.same(methods, ['card', 'SubscribeToTask', 'GetTask']);
  });

  t.test('when the gateway only stops: nobody is told to stop', async (t) => {
    for (const streaming of [true, false]) {
      const { agent, run } = await pairFor(t, { streaming });
      const stopping = new AbortController();
      const told = run(requestFor('wait x'), stopping.signal);
      await until(() => agent.agent.waiting.get('x'));
      await until(() => agent.methods().length > (streaming ? 1 : 2));
      stopping.abort(new AttemptReleased());
      t.match((await told).result, { kind: 'failed' });
      t.same(agent.agent.cancelled, []);
    }
  });

  t.test('that is cancelled though answers hold all connections', async (t) => {
    const { url, methods } = await agentThat(
      t,
      (call, response) => {
        if (call.method === 'CancelTask') return reply(response, 200, resultOf(call, taskIn('CANCELED')));
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: ${JSON.stringify(resultOf(call, { task: taskIn('WORKING') }))}\n\n`);
      },
      cardOf({ streaming: true }),
    );
    const { run } = pluginFor(t, url, { connections: 1 });
    const [first, second] = [new AbortController(), new AbortController()];
    const told = run(requestFor('one'), first.signal);
    await until(() => methods.includes('SendStreamingMessage'));
    const waiting = run(requestFor('two', undefined, { id: 'run-2' }), second.signal);
    first.abort();
    t.match((await told).result, { message: 'the run was aborted' });
    t.ok(methods.includes('CancelTask'));
    second.abort(new AttemptReleased());
    await waiting;
  });

  t.test('no longer than its run, of which nothing is kept until its time would be up', async (t) => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const { run } = await pairFor(t, {}, { timeout: 3_600_000 });
    const runOnce = async (instruction: string) => {
      const { signal } = new AbortController();
      t.match((await run(requestFor(instruction), signal)).result, { kind: 'succeeded' });
      return new WeakRef(signal);
    };
    for (const signal of [await runOnce('message hi'), await runOnce('spell a b')]) {
      await until(() => {
        collectGarbage();
        return signal.deref() === undefined;
      });
    }
  });

  t.test('until it can be named, to cancel it', async (t) => {
    const taken = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const { url, methods } = await agentThat(t, async (call, response) => {
      taken.resolve();
      await answered.promise;
      reply(
        response,
        200,
        resultOf(call, call.method === 'SendMessage' ? { task: taskIn('WORKING') } : taskIn('CANCELED')),
      );
    });
    const leaving = new AbortController();
    const told = pluginFor(t, url).run(requestFor('hello'), leaving.signal);
    await taken.promise;
    leaving.abort();
    answered.resolve();
    t.match((await told).result, { kind: 'failed', message: 'the run was aborted' });
    t.same(methods, ['card', 'SendMessage', 'CancelTask']);
  });
});

t.test('of an agent card', async (t) => {
  const answerHello: Answering = (call, response) => {
    const message = {
      messageId: 'm',
      contextId: 'c',
      role: 'ROLE_AGENT',
      parts: [{ text: call.params.message.parts[0].text }],
    };
    reply(response, 200, resultOf(call, { message }));
  };

  t.test('prefers the later version', async (t) => {
    const { url, methods } = await agentThat(t, answerHello, (url) => ({
      supportedInterfaces: [
        { url: `${url}/grpc`, protocolBinding: 'GRPC', protocolVersion: '1.0' },
        { url: `${url}/old`, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
        { url: '/new', protocolBinding: 'jsonrpc', protocolVersion: '1.0.1' },
      ],
    }));
    t.match((await pluginFor(t, url).say('hello')).result, { output: 'hello' });
    t.same(methods, ['card', 'SendMessage']);
  });

  t.test('takes the form that 0.3 has', async (t) => {
    const cards = [
      (url: string) => ({ url, protocolVersion: '0.3.0', preferredTransport: 'JSONRPC' }),
      (url: string) => ({ url }),
      (url: string) => ({
        ...{ url: `${url}/grpc`, protocolVersion: '0.3.0', preferredTransport: 'GRPC' },
        additionalInterfaces: [{ url, transport: 'JSONRPC' }],
      }),
    ];
    for (const card of cards) {
      const message = { kind: 'message', messageId: 'm', role: 'agent', parts: [{ kind: 'text', text: 'hi' }] };
      const { url, methods } = await agentThat(
        t,
        (call, response) => reply(response, 200, resultOf(call, message)),
        card,
      );
      t.match((await pluginFor(t, url).say('hello')).result, { output: 'hi' });
      t.same(methods, ['card', 'message/send']);
    }
  });

  t.test('follows no URL to another origin, unless the options name it', async (t) => {
    const elsewhere = await agentThat(t, answerHello);
    const { url, methods } = await agentThat(t, answerHello, () => cardOf()(elsewhere.url));
    const { result } = await pluginFor(t, url).say('hello');
    t.match(result, { kind: 'failed', message: /another origin than url; the option endpoint/, retryable: false });
    t.notMatch(JSON.stringify(result), elsewhere.url);
    t.same(elsewhere.methods, []);
    const allowed = pluginFor(t, url, { endpoint: `${elsewhere.url}/rpc` });
    t.match((await allowed.say('hello')).result, { kind: 'succeeded' });
    t.same([methods, elsewhere.methods], [['card', 'card'], ['SendMessage']]);
  });

  t.test('says what is wrong with it', async (t) => {
    const cases: [object | string, string][] = [
      [[], 'the agent card is not one of A2A'],
      [{}, 'the agent card names no interface of JSON-RPC in A2A 1.0 or 0.3'],
      [{ url: '/', preferredTransport: 'GRPC' }, 'the agent card names no interface of JSON-RPC in A2A 1.0 or 0.3'],
      [{ url: '/', protocolVersion: '0.2.5' }, 'the agent card names no interface of JSON-RPC in A2A 1.0 or 0.3'],
      [
        { supportedInterfaces: [{ url: '/', protocolBinding: 'JSONRPC', protocolVersion: '2.0' }] },
        'the agent card names no interface of JSON-RPC in A2A 1.0 or 0.3',
      ],
    ];
    let card: object | string = {};
    const { url } = await agentThat(t, answerHello, () => card as object);
    const { say } = pluginFor(t, url);
    for (const [next, message] of cases) {
      card = next;
      t.same((await say('hello')).result, { kind: 'failed', message, retryable: false });
    }
  });

  t.test('reads it when it is needed, and again once it may be outdated', async (t) => {
    let version = '0.3';
    const methods: string[] = [];
    const { url } = await agentThat(
      t,
      (call, response) => {
        methods.push(call.method);
        if (call.method === 'SendMessage') answerHello(call, response);
        else reply(response, 200, errorOf(call, -32601));
      },
      (url) => cardOf({ version })(url),
    );
    const { say } = pluginFor(t, url);
    t.match((await say('hello')).result, { message: 'agent answered with the error -32601 (method not found)' });
    version = '1.0';
    t.match((await say('hello')).result, { output: 'hello' });
    t.same(methods, ['message/send', 'SendMessage']);
  });

  t.test('is not needed to start: an agent that is down fails its runs, until it is back', async (t) => {
    let isDown = true;
    const before = (_: IncomingMessage, response: ServerResponse) => {
      if (isDown) response.destroy();
      return isDown;
    };
    const agent = await startA2aAgent(t, { before });
    const gateway = await startTestGateway(t, filesFor(agent.url));
    const { body } = await gateway.fire('talk', { instruction: 'hello' });
    t.match(body, {
      code: 'run_failed',
      detail: /^the agent card could not be read: the connection to the agent failed/,
    });
    isDown = false;
    t.match((await gateway.fire('talk', { instruction: 'hello' })).body, { output: 'turn 1 after []' });
  });

  t.test('is looked for where the options say', async (t) => {
    const asked: (string | undefined)[] = [];
    const before = ({ method, url }: IncomingMessage, response: ServerResponse) => {
      if (method === 'GET') {
        asked.push(url);
        reply(response, 200, cardOf()(agent.url));
      }
      return method === 'GET';
    };
    const agent = await startA2aAgent(t, { before });
    const cases: [string, string | undefined, string][] = [
      ['', undefined, '/.well-known/agent-card.json'],
      ['/agents/refund', undefined, '/agents/refund/.well-known/agent-card.json'],
      ['/agents/refund/', undefined, '/agents/refund/.well-known/agent-card.json'],
      ['/agents/card.json?v=2', undefined, '/agents/card.json?v=2'],
      ['/agents/refund', '/.well-known/agent-card.json?assistant_id=7', '/.well-known/agent-card.json?assistant_id=7'],
      ['/agents/refund', 'card', '/agents/refund/card'],
    ];
    for (const [path, card, expected] of cases) {
      await pluginFor(t, `${agent.url}${path}`, card === undefined ? {} : { card }).say('hello');
      t.equal(asked.pop(), expected);
    }
  });
});

t.test('makes of the options', async (t) => {
  t.test('the message', async (t) => {
    const { agent } = await pairFor(t);
    const sent = async (instruction: unknown, changes: Partial<Options> = {}) => {
      await pluginFor(t, agent.url, changes).say(instruction);
      return agent.calls.at(-1)?.params.message.parts;
    };
    const body = { environment: 'api', language: 'en' };
    t.same(await sent('hello', { message: '{{ language }}: {{ instruction }}' }), [{ text: 'en: hello' }]);
    t.same(await sent('hello', { data: true }), [{ text: 'hello' }, { data: { ...body, instruction: 'hello' } }]);
    t.same(
      await sent({ order: 7 }),
      [{ data: { ...body, instruction: { order: 7 } } }],
      'the body if there is no text',
    );
    t.same(await sent(undefined), [{ data: body }]);
    t.same(await sent('hello', { message: '{{ nothing }}' }), [{ data: { ...body, instruction: 'hello' } }]);
  });

  t.test('the output, of the task or the message as 1.0 has it', async (t) => {
    for (const version of versions) {
      const { say } = await pairFor(
        t,
        { version },
        { output: '{ "made": artifacts.parts.(text ? text : data), "said": parts.text, "run": $run.trigger }' },
      );
      t.same((await say('mixed')).deltas, [], 'of which nothing can be told before');
      t.match((await say('mixed')).result, { output: { made: [{ total: 3 }, ' in all'], run: 'talk' } });
      t.match((await say('message hi')).result, { output: { said: 'hi', run: 'talk' } });
      t.match((await say('ask')).result, { kind: 'input_required', output: 'Which order?' });
    }
    const { say } = await pairFor(t, {}, { output: '$number("x")' });
    t.match((await say('data')).result, {
      kind: 'failed',
      message: /^the expression of output failed/,
      retryable: false,
    });
  });

  t.test('no stream if none is wanted', async (t) => {
    const { agent, say } = await pairFor(t, {}, { stream: false });
    t.match(await say('spell a b'), { deltas: [], result: { output: 'a b ' } });
    t.match(agent.methods(), ['card', 'SendMessage', 'GetTask']);
  });

  t.test('a refusal, if they make no sense', async (t) => {
    const refused = (changes: Partial<Options>) => {
      try {
        pluginFor(t, 'https://agents.example.com/', changes);
        return [];
      } catch (error) {
        if (!OptionsError.is(error)) throw error;
        return error.problems.map(({ pointer }) => pointer);
      }
    };
    t.same(refused({}), []);
    for (const url of ['agents.example.com', 'ftp://host/', 'https://user:s3cret@host/']) {
      t.same(refused({ url }), ['/url']);
      t.same(refused({ endpoint: url }), ['/endpoint']);
    }
    t.same(refused({ card: 'https://elsewhere.example.com/card.json' }), ['/card']);
    t.same(refused({ headers: { 'A2A-Version': '0.3', accept: 'text/html' } }), [
      '/headers/A2A-Version',
      '/headers/accept',
    ]);
    t.same(refused({ headers: { host: 'elsewhere' } }), ['/headers/host']);
    t.same(refused({ timeout: 0 }), ['/timeout']);
    t.same(refused({ message: '{{ 1 + }}', output: undefined as never }), ['/message']);
    t.same(refused({ output: '1 +' }), ['/output']);
    const { validate } = compileSchema(a2a.optionsSchema);
    const options = { url: 'https://agents.example.com/' };
    t.match(validate({ ...options, maxResponse: '1B' }), { ok: true });
    t.match(validate({ ...options, maxResponse: '0B' }), { problems: [{ pointer: '/maxResponse' }] });
  });
});

t.test('what is told of a text', async (t) => {
  t.test('is the text of the output, in whatever order its artifacts come', async (t) => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      text: fc.string({ maxLength: 3 }),
      lastChunk: fc.boolean(),
      retold: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.string({ maxLength: 3 }), (steps, closing) => {
        const answer = new TaskAnswer();
        const complete = new Set<string>();
        const deltas: string[] = [];
        const ids = { taskId: 'task-1', contextId: 'context-1', metadata: undefined };
        for (const { name, text, lastChunk, retold } of steps) {
          if (complete.has(name)) continue;
          if (lastChunk) complete.add(name);
          const unused = { name: '', description: '', metadata: undefined, extensions: [] };
          const artifact = { artifactId: name, parts: [textPart(text)], ...unused };
          answer.apply({ $case: 'artifactUpdate', value: { ...ids, artifact, append: true, lastChunk } });
          deltas.push(answer.takeDelta());
          if (!retold) continue;
          // What is told as a whole no longer says what is complete.
          answer.apply({ $case: 'task', value: Task.fromJSON(answer.toJson()) });
          deltas.push(answer.takeDelta());
        }
        answer.apply({
          $case: 'statusUpdate',
          value: { ...ids, status: statusOf(TaskState.TASK_STATE_COMPLETED, closing) },
        });
        deltas.push(answer.takeDelta());
        return deltas.join('') === (answer.output ?? '');
      }),
    );
    t.pass();
  });

  const updateOf = (artifactId: string, text: string, lastChunk: boolean): AgentEvent => {
    const unused = { name: '', description: '', metadata: undefined, extensions: [] };
    const artifact = { artifactId, parts: [textPart(text)], ...unused };
    const value = { taskId: 'task-1', contextId: 'c', metadata: undefined, artifact, append: true, lastChunk };
    return { $case: 'artifactUpdate', value };
  };

  t.test('ends where an artifact goes on that was told to its end, which its output does not', async (t) => {
    const answer = new TaskAnswer();
    const told = ['one', 'two', ''].map((text, index) => {
      answer.apply(updateOf(`${index}`, text, true));
      return answer.takeDelta();
    });
    t.same(told, ['one', '\n\ntwo', '']);
    answer.apply(updateOf('2', 'three', false));
    answer.apply(updateOf('0', ' more', true));
    t.equal(answer.takeDelta(), '');
    t.equal(answer.output, 'one more\n\ntwo\n\nthree');
  });

  t.test('costs no more for an artifact that is complete again and again', async (t) => {
    const answer = new TaskAnswer();
    const deltas = new Set<string>();
    const count = 20_000;
    for (let index = 0; index < count; index += 1) {
      answer.apply(updateOf('a', 'x', true));
      deltas.add(answer.takeDelta());
    }
    t.equal(answer.output, 'x'.repeat(count));
    // bench/hostile.ts measures the time: it is 200 times as long if each copies all before it.
    t.same(deltas, new Set(['x', '']), 'what grows after its end is told no further');
  });

  const passage = (pieces: string[], isComplete = false) => ({ pieces, isComplete });

  t.test('is not told again when the same text begins anew', async (t) => {
    const told = new ToldText();
    t.equal(told.next([passage(['a', 'b'])]), 'ab');
    told.restart();
    t.equal(told.next([passage(['a'])]), '');
    t.equal(told.next([passage(['a', 'bc'], true), passage(['d'])]), 'c\n\nd');
  });

  t.test('ends where it was told wrong', async (t) => {
    const told = new ToldText();
    t.equal(told.next([passage(['a', 'b'])]), 'ab');
    t.same(told.change(0, ['a', 'b'], ['abc']), ['ab', 'c']);
    t.equal(told.next([passage(['ab', 'c'])]), 'c');
    told.change(0, ['ab', 'c'], ['xyz']);
    t.equal(told.next([passage(['xyz', 'more'])]), '');
    told.restart();
    t.equal(told.next([passage(['abc', 'more'])]), '');
  });

  t.test('goes on where a passage was told to its end and is the same', async (t) => {
    const told = new ToldText();
    t.equal(told.next([passage(['a'], true), passage([])]), 'a');
    told.change(0, ['a'], ['a']);
    t.equal(told.next([passage(['a'], true), passage(['b'])]), '\n\nb');
    told.change(0, ['a'], ['other']);
    t.equal(told.next([passage(['other'], true), passage(['b', 'c'])]), '');
  });
});
