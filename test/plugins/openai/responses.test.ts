import t, { type Test } from 'tap';
import { durable } from '../../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { listen } from '../../support/listen.ts';
import { type ModelResponse, messageItem, modelResponse, serveResponses } from '../../support/responses-endpoint.ts';
import { until } from '../../support/until.ts';
import {
  agent,
  counted,
  endpointAnswering,
  endpointThatGoesOnAfter,
  gatewayFiles,
  handleOf,
  memoryOf,
  mockWith,
  pluginFor,
  requestFor,
  usage,
} from './endpoint.ts';

t.test('responses', async (t) => {
  t.test('a conversation continues after a restart of the gateway, and is unknown to another sessionId', async (t) => {
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

  const sentence = "Previous response with id 'resp_1' not found.";
  const refusals = [
    ['400 that names the parameter', 400, { code: null, param: 'previous_response_id', message: 's3cret' }, true],
    ['400 that names the response', 400, { code: null, message: sentence }, true],
    ['404 that names the response', 404, { message: sentence }, true],
    ['an error event with its code', 200, { code: 'previous_response_not_found' }, true],
    ['400 that names another parameter', 400, { code: null, param: 'input', message: 'too long' }, false],
    ['500', 500, { message: sentence }, false],
  ] as const;
  for (const [name, status, error, isForgotten] of refusals) {
    t.test(`the session ${isForgotten ? 'forgets' : 'keeps'} its response after ${name}`, async (t) => {
      const { url } = await endpointAnswering(t, status === 200 ? [{ error }] : { error }, status);
      const { run } = await pluginFor(t, url, { api: 'responses' });
      const { result } = await run(requestFor({ instruction: 'and?' }, memoryOf(url, 'resp_1')));
      const expected = { kind: 'failed', message: /no longer knows the conversation/, memory: null };
      if (isForgotten) t.match(result, expected);
      else t.notOk('memory' in result);
    });
  }

  t.test('ids of responses are not sent to another endpoint or model', async (t) => {
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

  const error = { code: 'server_error', message: 's3cret' };
  const ends: [Partial<ModelResponse>, object][] = [
    [
      { status: 'completed', output: [messageItem('hi')] },
      { kind: 'succeeded', output: 'hi' },
    ],
    [{ status: 'failed', error }, { message: 'agent failed (server_error)' }],
    [{ status: 'incomplete' }, { message: /cut off/ }],
  ];
  for (const [changes, expected] of ends) {
    const response = modelResponse(changes);
    t.test(`a run ends with response.${response.status}, although the stream stays open`, async (t) => {
      const { url } = await endpointThatGoesOnAfter(t, [{ type: `response.${response.status}`, response }]);
      const { run } = await pluginFor(t, url, { api: 'responses' });
      t.match((await run(requestFor({ instruction: 'a?' }))).result, expected);
    });
  }

  t.test('a run ends with an error event, although the stream stays open', async (t) => {
    const { url } = await endpointThatGoesOnAfter(t, [{ type: 'error', ...error }]);
    const { run } = await pluginFor(t, url, { api: 'responses' });
    t.match((await run(requestFor({ instruction: 'a?' }))).result, { message: 'agent failed (server_error)' });
  });

  for (const stream of [true, false]) {
    t.test(`a mock of OpenAI is understood ${stream ? 'as a stream' : 'as a whole'}`, async (t) => {
      const mock = await mockWith(t, { hello: { content: 'Good morning', usage } });
      const { run } = await pluginFor(t, mock.v1, { api: 'responses', stream });
      const { result, deltas } = await run(requestFor({ instruction: 'hello' }));
      t.match(result, { kind: 'succeeded', output: 'Good morning', usage: counted, memory: { responseId: /^resp/ } });
      t.equal(deltas.join(''), stream ? 'Good morning' : '');
    });
  }

  t.test('the usage names the model that answered, and what was cached and reasoned', async (t) => {
    const details = { input_tokens_details: { cached_tokens: 8 }, output_tokens_details: { reasoning_tokens: 30 } };
    const used = { input_tokens: 12, output_tokens: 34, ...details };
    const answer = { ...modelResponse({ output: [messageItem('hi')] }), model: 'gpt-5-mini-2025-08-07', usage: used };
    const { url } = await endpointAnswering(t, answer);
    const { result } = await (await pluginFor(t, url, { api: 'responses', stream: false })).run(
      requestFor({ instruction: 'hello' }),
    );
    const counts = { ...counted, cachedTokens: 8, reasoningTokens: 30 };
    t.same(result.usage, { ...counts, model: 'gpt-5-mini-2025-08-07' });
  });

  t.test('the output is the text of every message in the response', async (t) => {
    const reasoning = { id: 'rs_1', type: 'reasoning', summary: [] };
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
      const driven = await run(requestFor({ instruction: 'count' }));
      t.match(driven.result, { kind: 'succeeded', output: 'One, two, three.', memory: { responseId: 'resp_1' } });
      t.same(driven.deltas, stream ? ['One, ', 'two, ', 'three.'] : []);
    }
  });
});

t.test('background', async (t) => {
  const options = { api: 'responses', background: true } as const;
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

  t.test('a response is polled until it is complete, although a poll fails', async (t) => {
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

  t.test('a response is continued after a restart of the gateway, and is not begun again', async (t) => {
    const { endpoint, gateway, runId } = await start(t, durable);
    await gateway.gateway.close();
    t.same(endpoint.cancelled, []);
    endpoint.complete();
    const restarted = await serveFolder(t, gateway.root);
    t.match(await endOf(restarted, runId), { status: 'succeeded', output: 'done' });
    t.equal(endpoint.created.length, 1);
  });

  t.test('a response is cancelled with its run', async (t) => {
    const { endpoint, gateway, runId } = await start(t, durable);
    await gateway.fire('chat', undefined, { method: 'DELETE', path: `/run/${runId}` });
    await until(() => endpoint.cancelled.includes('resp_1'));
    t.match(await endOf(gateway, runId), { status: 'cancelled' });
  });

  t.test('a response is cancelled once, when its time is up', async (t) => {
    const { endpoint, gateway, runId } = await start(t, durable, { timeout: '1s', retry: { attempts: 1 } });
    t.match(await endOf(gateway, runId), { status: 'failed', error: { message: 'the run did not end within 1s' } });
    await until(() => endpoint.cancelled.length === 1);
    const { resume } = await pluginFor(t, endpoint.baseUrl, { ...options, timeout: 5 });
    const late = await resume(handleOf(endpoint.baseUrl, 'resp_1'), { startedAt: Date.now() - 10 });
    t.match(late, { kind: 'failed', message: 'the run did not end within 0.005s', retryable: true });
    await until(() => endpoint.cancelled.length === 2);
  });

  t.test('a response is cancelled although all connections are busy', async (t) => {
    const calls: string[] = [];
    const origin = await listen(t, (request, response) => {
      request.resume();
      calls.push(`${request.method} ${request.url}`);
      // Polls are never answered.
      if (request.method === 'POST') response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    const url = `${origin}/v1`;
    const { resume } = await pluginFor(t, url, { ...options, connections: 1 });
    const stopped = new AbortController();
    const busy = resume(handleOf(url, 'resp_1'), { signal: stopped.signal });
    await until(() => calls.length === 1);
    const cancelled = new AbortController();
    const waiting = resume(handleOf(url, 'resp_2'), { signal: cancelled.signal });
    cancelled.abort();
    t.match(await waiting, { kind: 'failed', message: 'the run was aborted' });
    t.same(calls, ['GET /v1/responses/resp_1', 'POST /v1/responses/resp_2/cancel']);
    stopped.abort();
    await busy;
  });

  t.test('an id is one segment of the path', async (t) => {
    const response = modelResponse({ output: [messageItem('done')] });
    const { url, requests } = await endpointAnswering(t, response);
    const { resume } = await pluginFor(t, url, options);
    t.match(await resume(handleOf(url, 'a/../b')), { kind: 'succeeded', output: 'done' });
    t.equal(requests[0]?.url, '/v1/responses/a%2F..%2Fb');
  });

  t.test('a run whose response the endpoint has forgotten fails, and may be retried', async (t) => {
    const { url } = await endpointAnswering(t, { error: { message: 'gone' } }, 404);
    const { resume } = await pluginFor(t, url, options);
    t.match(await resume(handleOf(url, 'resp_1')), { kind: 'failed', retryable: true });
  });

  t.test('a handle that is not of this endpoint fails the run', async (t) => {
    const { url, requests } = await endpointAnswering(t, modelResponse());
    const { resume } = await pluginFor(t, url, options);
    const others = handleOf('https://other.example/v1', 'resp_1');
    const invalid = { ...handleOf(url, 'resp_1'), responseId: '..' };
    for (const foreign of [null, 'task-1', invalid, { responseId: 'resp_1' }, others]) {
      t.match(await resume(foreign), { kind: 'failed', retryable: false });
    }
    t.equal(requests.length, 0);
  });

  t.test('an endpoint may answer at once', async (t) => {
    const { url } = await endpointAnswering(t, modelResponse({ output: [messageItem('quick')] }));
    const { run } = await pluginFor(t, url, options);
    t.match((await run(requestFor({ instruction: 'think' }))).result, { kind: 'succeeded', output: 'quick' });
  });
});
