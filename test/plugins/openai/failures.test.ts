import { once } from 'node:events';
import t from 'tap';
import openai from '../../../plugins/run/openai/index.ts';
import type { Options } from '../../../plugins/run/openai/options.gen.ts';
import { httpHarness } from '../../../src/run-kit/conformance.ts';
import { eventsOf } from '../../../src/run-kit/index.ts';
import { listen } from '../../support/listen.ts';
import { type ModelResponse, messageItem, modelResponse } from '../../support/responses-endpoint.ts';
import { testPromises } from '../../support/run-plugin.ts';
import { until } from '../../support/until.ts';
import {
  chunk,
  completion,
  counted,
  defaults,
  endpointAnswering,
  pluginFor,
  requestFor,
  sse,
  usage,
} from './endpoint.ts';

const byConnection = 'the endpoint works only as long as the connection is open';
const event = { 'content-type': 'text/event-stream' };
const eventOf = (json: Uint8Array) => Buffer.concat([Buffer.from('data: '), json, Buffer.from('\n\n')]);

t.test('a chat keeps what every run plugin promises', async (t) => {
  testPromises(
    t,
    httpHarness({
      plugin: openai,
      options: (origin, { maxResponse }) => ({ ...defaults, baseUrl: `${origin}/v1`, maxResponse }),
      headers: event,
      answer: (content) => sse([chunk({ delta: { content }, finish_reason: 'stop' }), '[DONE]']),
      wrap: eventOf,
      piece: () => sse([chunk({ delta: { content: 'x' } })]),
      exempt: { shutdown: byConnection, 'foreign memory': 'the transcript is what the gateway itself has kept' },
    }),
  );
});

t.test('a streamed response keeps what every run plugin promises', async (t) => {
  const responseWith = (text: string) => modelResponse({ id: 'resp_of_the_case', output: [messageItem(text)] });
  testPromises(
    t,
    httpHarness({
      plugin: openai,
      options: (origin, { maxResponse }) => ({ ...defaults, api: 'responses', baseUrl: `${origin}/v1`, maxResponse }),
      headers: event,
      answer: (text) => sse([{ type: 'response.completed', response: responseWith(text) }]),
      wrap: eventOf,
      piece: () => sse([{ type: 'response.output_text.delta', delta: 'x' }]),
      exempt: { shutdown: byConnection },
    }),
  );
});

t.test('a response in the background keeps what every run plugin promises', async (t) => {
  const queued = JSON.stringify(modelResponse({ id: 'resp_of_the_case', status: 'queued' }));
  const reply = { status: 200, headers: { 'content-type': 'application/json' }, body: queued };
  const whole = 'a response in the background is not streamed';
  testPromises(
    t,
    httpHarness({
      plugin: openai,
      options: (origin, { maxResponse }) => ({
        ...{ ...defaults, api: 'responses', background: true },
        ...{ baseUrl: `${origin}/v1`, maxResponse },
      }),
      headers: { 'content-type': 'application/json' },
      answer: (text) => JSON.stringify(modelResponse({ id: 'resp_of_the_case', output: [messageItem(text)] })),
      piece: () => ' ',
      begin: () => reply,
      aside: ({ method }) => (method === 'GET' ? reply : undefined),
      stops: ({ path }) => path === '/v1/responses/resp_of_the_case/cancel',
      exempt: { flood: whole, drip: whole },
    }),
  );
});

const ask = requestFor({ instruction: 'a?' });

/** The ways to ask for an answer that is waited for. */
const apis: Record<string, Partial<Options>> = {
  'a streamed chat': {},
  'a chat': { stream: false },
  'a streamed response': { api: 'responses' },
};

t.test('a status decides whether a run may be retried, and the words of the endpoint are not repeated', async (t) => {
  const error = { message: 'You sent: s3cret', type: 'some_error', code: null };
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
    t.test(message, async (t) => {
      const { url, requests } = await endpointAnswering(t, body, status, headers);
      for (const [name, options] of Object.entries(apis)) {
        const { result } = await (await pluginFor(t, url, options)).run(ask);
        const wait = 'retry-after' in headers ? { retryAfterMs: 7000 } : {};
        t.same(result, { kind: 'failed', message, retryable, ...wait }, name);
      }
      t.equal(requests.length, 3, 'no request is repeated within an attempt');
    });
  }
});

t.test('a chat that ends without a complete answer fails the run', async (t) => {
  const said = { content: 'so far' };
  const cases = {
    'cut off at a token limit': [
      chunk({ delta: said, finish_reason: 'length' }),
      completion(said, { finish_reason: 'length' }),
      { message: /cut off/, retryable: false },
    ],
    'stopped by a content filter': [
      chunk({ finish_reason: 'content_filter' }),
      completion({}, { finish_reason: 'content_filter' }),
      { message: /filter/, retryable: false },
    ],
    'an error with a status as its code': [
      { error: { message: 's3cret', code: 502 } },
      { error: { message: 's3cret', code: 502 } },
      { message: 'agent failed', retryable: true },
    ],
    'an error with a type': [
      { error: { type: 'overloaded_error' } },
      { error: { type: 'invalid_prompt' } },
      { message: /^agent failed \(/ },
    ],
  } as const;
  for (const [name, [event, body, expected]] of Object.entries(cases)) {
    t.test(name, async (t) => {
      for (const sent of [[event, '[DONE]'], body]) {
        const { url } = await endpointAnswering(t, sent);
        const { result } = await (await pluginFor(t, url)).run(ask);
        t.match(result, { kind: 'failed', ...expected });
        t.notHas(result, { memory: [] });
      }
    });
  }

  t.test('a stream that ends before its answer', async (t) => {
    const { url } = await endpointAnswering(t, [chunk({ delta: said }), chunk({}, { choices: [], usage })]);
    const { result, deltas } = await (await pluginFor(t, url)).run(ask);
    t.match(result, { kind: 'failed', message: /stream of the agent ended before/, retryable: true, usage: counted });
    t.same(deltas, ['so far']);
  });
});

t.test('a response that is not complete fails the run', async (t) => {
  const cases: Record<string, [Partial<ModelResponse>, string | RegExp, boolean]> = {
    'cut off at a token limit': [
      { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      /cut off/,
      false,
    ],
    'stopped by a content filter': [
      { status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
      /filter/,
      false,
    ],
    'a transient error': [
      { status: 'failed', error: { code: 'server_error', message: 's3cret' } },
      'agent failed (server_error)',
      true,
    ],
    'a permanent error': [
      { status: 'failed', error: { code: 'invalid_prompt', message: 's3cret' } },
      'agent failed (invalid_prompt)',
      false,
    ],
    cancelled: [{ status: 'cancelled' }, /cancel/, false],
    'in progress': [{ status: 'in_progress' }, /before the response was complete/, true],
  };
  for (const [name, [changes, message, retryable]] of Object.entries(cases)) {
    t.test(name, async (t) => {
      const response = modelResponse(changes);
      for (const sent of [[{ type: `response.${response.status}`, response }], response]) {
        if (Array.isArray(sent) && response.status === 'in_progress') continue;
        const { url } = await endpointAnswering(t, sent);
        const { result } = await (await pluginFor(t, url, { api: 'responses' })).run(ask);
        t.match(result, { kind: 'failed', message, retryable });
      }
    });
  }

  t.test('an error event', async (t) => {
    const { url } = await endpointAnswering(t, [{ type: 'error', code: 'server_error', message: 's3cret' }]);
    const { result } = await (await pluginFor(t, url, { api: 'responses' })).run(ask);
    t.same(result, { kind: 'failed', message: 'agent failed (server_error)', retryable: true });
  });
});

t.test('a body that is no answer fails the run', async (t) => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const bodies = [
    ...['', 'nonsense', '{', deep, 'null', '[]', '{}', '{"choices":[null]}', '{"choices":{}}', '{"output":{}}'],
    ...[['{'], ['null'], ['[1]'], ['{"choices":[null]}'], ['{"choices":[{"delta":{"content":{}}}]}'], [deep], []],
  ];
  for (const body of bodies) {
    t.test(JSON.stringify(body).slice(0, 40), async (t) => {
      const { url } = await endpointAnswering(t, body);
      for (const options of [{}, { api: 'responses' }, { api: 'responses', background: true }] as const) {
        const { result } = await (await pluginFor(t, url, options)).run(ask);
        t.equal(result.kind, 'failed', JSON.stringify(options));
      }
    });
  }
});

t.test('a status decides, whatever the body is', async (t) => {
  const deep = `${'['.repeat(6000)}${']'.repeat(6000)}`;
  const bodies = [deep, `{"error":${deep}}`, `{"error":{"code":{},"message":${deep}}}`, '{"error":{"toString":1}}'];
  for (const body of bodies) {
    t.test(body.slice(0, 40), async (t) => {
      for (const [status, retryable] of [
        [503, true],
        [400, false],
      ] as const) {
        const { url } = await endpointAnswering(t, body, status);
        for (const [name, options] of Object.entries(apis)) {
          const { result } = await (await pluginFor(t, url, options)).run(ask);
          t.same(result, { kind: 'failed', message: `agent answered ${status}`, retryable }, name);
        }
      }
    });
  }
});

t.test('an event or a body that cannot be read fails the run', async (t) => {
  const deep = `${'['.repeat(6000)}${']'.repeat(6000)}`;
  const encoded = { 'content-encoding': 'gzip, gzip, gzip, gzip, gzip, gzip' };
  const encodings = 'agent answered in a content encoding that it was not asked for';
  const cases = {
    'a named error nested too deep': [200, `event: error\ndata: ${deep}\n\n`, 'agent failed', {}],
    'a named error that is no JSON': [200, 'event: error\ndata: Oh no\n\n', 'agent failed', {}],
    'an error nested too deep': [200, `data: {"error":${deep}}\n\n`, /^agent answered with JSON nested deeper/, {}],
    'an error message nested too deep': [
      200,
      `data: {"error":{"message":${deep}}}\n\n`,
      /^agent answered with JSON nested deeper/,
      {},
    ],
    'no content': [204, '', 'agent answered with invalid JSON', {}],
    'reset content': [205, '', 'agent answered with invalid JSON', {}],
    'a content encoding': [200, '', encodings, encoded],
  } as const;
  for (const [name, [status, body, message, headers]] of Object.entries(cases)) {
    t.test(name, async (t) => {
      const { url } = await endpointAnswering(t, body, status, { 'content-type': 'text/event-stream', ...headers });
      for (const options of [{}, { api: 'responses' }] as const) {
        const { result } = await (await pluginFor(t, url, options)).run(ask);
        t.match(result, { kind: 'failed', message });
      }
    });
  }
});

t.test('a flood of empty events ends with the stream', async (t) => {
  for (const line of ['\n', ':\n\n', 'data:\n']) {
    t.test(JSON.stringify(line), async (t) => {
      const flood = line.repeat(2 ** 23 / line.length);
      const { url } = await endpointAnswering(t, flood, 200, { 'content-type': 'text/event-stream' });
      const { run } = await pluginFor(t, url, { maxResponse: 2 ** 24 });
      const { result } = await run(ask);
      t.match(result, { kind: 'failed', message: /stream of the agent ended before/ });
    });
  }
});

t.test('a flood of events does not stall other runs', async (t) => {
  for (const line of [':\n\n', 'data:{}\n\n']) {
    t.test(JSON.stringify(line), async (t) => {
      let isOthersTurn = false;
      setImmediate(() => {
        isOthersTurn = true;
      });
      const bytes = Buffer.from(line.repeat(1000));
      let left = 20_000;
      const flood = new ReadableStream<Uint8Array>({
        pull(controller) {
          left -= 1;
          if (isOthersTurn || left === 0) controller.close();
          else controller.enqueue(bytes);
        },
      });
      const received = new Set<string>();
      for await (const { data } of eventsOf(flood)) received.add(data);
      t.ok(left > 0);
      t.same([...received], line.startsWith('data') ? ['{}'] : []);
    });
  }
});

t.test('a connection that is cut fails the run, which may be retried', async (t) => {
  const origin = await listen(t, (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sse([chunk({ delta: { content: 'so' } })]), () => response.destroy());
  });
  const { result } = await (await pluginFor(t, `${origin}/v1`)).run(ask);
  t.match(result, { kind: 'failed', message: /^the connection to the agent failed/, retryable: true });
});

t.test('an attempt that ends early cuts its connection, also if it does not stream', async (t) => {
  const closed: Promise<unknown>[] = [];
  const origin = await listen(t, (request, response) => {
    request.resume();
    closed.push(once(response, 'close'));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sse([chunk({ delta: { content: 'so' } })]));
  });
  const controller = new AbortController();
  const { run } = await pluginFor(t, `${origin}/v1`, { stream: false });
  const aborted = run(ask, controller.signal);
  await until(() => closed.length > 0);
  controller.abort();
  t.match((await aborted).result, { kind: 'failed', message: 'the run was aborted', retryable: false });
  await Promise.all(closed);
});

t.test('a reader that leaves a stream cuts its connection', async (t) => {
  const closed = Promise.withResolvers<unknown>();
  const origin = await listen(t, (request, response) => {
    request.resume();
    response.once('close', closed.resolve).writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sse([chunk({ delta: { content: 'so' } })]));
  });
  const { plugin } = await pluginFor(t, `${origin}/v1`);
  const { signal } = new AbortController();
  const progress = { emit() {}, save() {} };
  const result = await plugin.execute(ask, { signal, deadline: Infinity, onAbandon: () => () => {}, progress });
  if (result.kind !== 'stream') return t.fail('does not stream');
  t.match(await result.events.next(), { value: { text: 'so' } });
  await result.events.return?.({ kind: 'failed', message: '', retryable: false });
  await closed.promise;
});
