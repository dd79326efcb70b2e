import fc from 'fast-check';
import t from 'tap';
import { readStream } from '../../../plugins/run/langgraph/answer.ts';
import langgraph from '../../../plugins/run/langgraph/index.ts';
import type { Options } from '../../../plugins/run/langgraph/options.gen.ts';
import { type FinalRunResult, type JsonObject, type JsonValue, OptionsError } from '../../../src/contract/index.ts';
import { httpHarness } from '../../../src/run-kit/conformance.ts';
import { AgentResponse } from '../../../src/run-kit/index.ts';
import { faultsOf, testPromises } from '../../support/run-plugin.ts';
import {
  ai,
  defaults,
  location,
  pluginFor,
  type Reply,
  run,
  runId,
  said,
  serverOf,
  sessionWith,
  sse,
  thread,
  values,
} from './stub.ts';

// Answers that a real server sends seldom, or never. The real one is in graphs.test.ts.

t.test('keeps what every run plugin promises', async (t) => {
  testPromises(
    t,
    httpHarness({
      plugin: langgraph,
      options: (url, { maxResponse }) => ({ ...defaults, url, maxResponse }),
      headers: { 'content-type': 'text/event-stream' },
      answer: (text) => sse(['values', said(text)], ['end', null]),
      wrap: (json) => Buffer.concat([Buffer.from('event: values\ndata: '), json, Buffer.from('\n\n')]),
      piece: () => sse(['messages', [{ type: 'AIMessageChunk', content: 'x' }, {}]]),
      begin: () => ({ headers: location }),
      stops: ({ path }) => path === `${thread}/runs/${runId}/cancel`,
      exempt: { 'foreign memory': 'the ids of interrupts that a session remembers are not sent by themselves' },
    }),
  );
});

t.test('a request has what the options say, and nothing else', async (t) => {
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

t.test('the message is the body as JSON if there is no instruction', async (t) => {
  const { url, requests } = await serverOf(t, { 'POST /runs/stream': [{ body: sse(['values', said('done')]) }] });
  await pluginFor(t, url)({ input: { environment: 'api', language: 'en', order: 7 } });
  t.match(requests[0]?.body, { input: { messages: [{ content: '{"order":7}' }] } });
});

t.test('a body without anything to ask fails the run', async (t) => {
  const { url, requests } = await serverOf(t, {});
  const { result } = await pluginFor(t, url)({ input: { environment: 'api', language: 'en' } });
  t.match(result, { kind: 'failed', message: 'there is nothing to ask: the message is empty', retryable: false });
  t.equal(requests.length, 0);
});

t.test('the output', async (t) => {
  const cases: Record<string, [JsonValue, FinalRunResult]> = {
    'is the last AI message': [
      { messages: [ai('one'), ai('two'), { type: 'tool', content: 'x' }] },
      { kind: 'succeeded', output: 'two' },
    ],
    'is its text blocks': [
      said([{ type: 'text', text: 'a' }, { type: 'reasoning' }, 'b']),
      { kind: 'succeeded', output: 'ab' },
    ],
    'is its content if that has no text': [
      said([{ type: 'image' }]),
      { kind: 'succeeded', output: [{ type: 'image' }] },
    ],
    'is the state if the last AI message says nothing': [
      { messages: [ai(''), { type: 'tool', content: 'x' }] },
      { kind: 'succeeded', output: { messages: [ai(''), { type: 'tool', content: 'x' }] } },
    ],
    'is a plain message': [{ messages: [{ role: 'assistant', content: 'a' }] }, { kind: 'succeeded', output: 'a' }],
    'is the state without a message': [
      { total: 7, messages: [] },
      { kind: 'succeeded', output: { total: 7, messages: [] } },
    ],
    'is a state that is not an object': [[1], { kind: 'succeeded', output: [1] }],
    'is a question': [
      { ...said('x'), __interrupt__: [{ value: { a: 1 }, id: 'i' }] },
      { kind: 'input_required', output: { a: 1 } },
    ],
    'is null for a pause without a question': [{ __interrupt__: [] }, { kind: 'input_required', output: null }],
  };
  for (const [name, [state, expected]] of Object.entries(cases)) {
    t.test(name, async (t) => {
      const { url } = await serverOf(t, {
        'POST /runs/wait': [values(state)],
        'POST /runs/stream': [{ body: sse(['metadata', {}], ['values', { messages: [] }], ['values', state]) }],
      });
      t.strictSame((await pluginFor(t, url, { stream: false })()).result, expected, 'waited');
      t.strictSame((await pluginFor(t, url)()).result, expected, 'streamed');
    });
  }
});

t.test('the usage is the tokens of the turn', async (t) => {
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

t.test('the usage names the model, and what was cached and reasoned', async (t) => {
  const used = (model: JsonObject, input: JsonObject, output: JsonObject) => ({
    usage_metadata: { input_tokens: 100, output_tokens: 50, input_token_details: input, output_token_details: output },
    response_metadata: model,
  });
  const messages = [
    { type: 'human' },
    ai('a', used({ model_name: 'gpt-5' }, { cache_read: 60, audio: 3 }, { reasoning: 20 })),
    ai('b', used({ model: 'claude-sonnet-5' }, { cache_read: 'x' }, { reasoning: 7 })),
    ai('c', used({}, {}, {})),
  ];
  const { url } = await serverOf(t, { 'POST /runs/wait': [values({ messages })] });
  const { result } = await pluginFor(t, url, { stream: false })();
  const counts = { inputTokens: 300, outputTokens: 150, cachedTokens: 60, reasoningTokens: 27 };
  t.same(result, { kind: 'succeeded', output: 'c', usage: { ...counts, model: 'claude-sonnet-5' } });
});

t.test('the text of AI messages is streamed once', async (t) => {
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

t.test('a stream is read the same, wherever it is cut into pieces', async (t) => {
  const end = { messages: [ai('süß 🍰')] };
  const bytes = Buffer.from(sse(['messages', [ai('süß '), {}]], ['messages', [ai('🍰'), {}]], ['values', end]));
  const property = fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
    const bounds = [0, ...cuts.sort((a, b) => a - b), bytes.length];
    async function* pieces() {
      for (let index = 1; index < bounds.length; index += 1) yield bytes.subarray(bounds[index - 1], bounds[index]);
    }
    const body = pieces();
    const response = { status: 200, headers: {}, body, bytes: async () => bytes, discard: async () => {} };
    const events = readStream(new AgentResponse(response, () => {}));
    for (let text = ''; ; ) {
      const next = await events.next();
      if (next.done) return text === 'süß 🍰' && JSON.stringify(next.value.state) === JSON.stringify(end);
      text += next.value.text;
    }
  });
  await fc.assert(property);
  t.pass();
});

t.test('an answer fails the run', async (t) => {
  const deep = '['.repeat(300) + ']'.repeat(300);
  const graphError = (error: JsonValue) => values({ __error__: error });
  const waited: Record<string, [Reply, string | RegExp, boolean]> = {
    'with 401': [{ status: 401, body: 's3cret' }, 'agent answered 401: the API key is not accepted', false],
    'with 403': [{ status: 403, body: 's3cret' }, /^agent answered 403: /, false],
    'with 422': [{ status: 422, body: 's3cret' }, /^agent answered 422: /, false],
    'with 409': [{ status: 409 }, 'agent answered 409: the thread is busy', true],
    'with 503': [{ status: 503 }, 'agent answered 503', true],
    'with a redirect': [{ status: 307, headers: { location: '/elsewhere' } }, /redirects are not followed/, false],
    'with an error': [graphError({ error: 'ValueError', message: 's3cret' }), 'the graph failed (ValueError)', true],
    'with an error without a name': [graphError('s3cret'), 'the graph failed', true],
    'with an error with a name that is a sentence': [graphError({ error: 's3cret: no' }), 'the graph failed', true],
    'with a cancellation': [graphError({ error: 'UserInterrupt' }), 'the graph failed (UserInterrupt)', false],
    'with no JSON': [{ body: '<html>' }, 'agent answered with invalid JSON', false],
    'with JSON nested too deep': [{ body: deep }, /nested deeper/, false],
    'with too many bytes': [{ body: ' '.repeat(2 ** 20 + 1) }, 'agent answered with more than 1048576 bytes', false],
    'that ends too early': [{ body: '\n\n\n' }, 'agent ended its answer too early', true],
    'that says nothing': [values(null), 'agent ended its answer too early', true],
    'whose connection is cut': [{ body: '\n', isCut: true }, /^the connection to the agent failed/, true],
  };
  for (const [name, [reply, message, retryable]] of Object.entries(waited)) {
    t.test(name, async (t) => {
      const { url } = await serverOf(t, { 'POST /runs/wait': [reply] });
      const { result } = await pluginFor(t, url, { stream: false })();
      t.match(result, { kind: 'failed', message, retryable });
      t.notMatch(JSON.stringify(result), /s3cret/);
    });
  }

  const graphFault = sse(['values', said('x')], ['error', { error: 'KeyError', message: 's3cret' }]);
  const streamed: Record<string, [Reply, string | RegExp, boolean]> = {
    'with an error event': [{ body: graphFault }, 'the graph failed (KeyError)', true],
    'with a page instead of a stream': [
      { headers: { 'content-type': 'text/html' }, body: '<html>' },
      'agent ended its answer too early',
      true,
    ],
  };
  for (const [name, [reply, message, retryable]] of Object.entries(streamed)) {
    t.test(name, async (t) => {
      const { url } = await serverOf(t, { 'POST /runs/stream': [reply] });
      t.match((await pluginFor(t, url)()).result, { kind: 'failed', message, retryable });
    });
  }
});

t.test('a server that is not reachable fails the run, which may be retried', async (t) => {
  const { result } = await pluginFor(t, 'http://127.0.0.1:1')();
  t.match(result, { kind: 'failed', message: /ECONNREFUSED/, retryable: true });
});

t.test('an expression that returns nothing, or no object where one is needed, fails the run', async (t) => {
  const cases: [Partial<Options>, string | RegExp][] = [
    [{ input: 'nobody' }, 'the expression of input returned nothing'],
    [{ input: '$uppercase(7)' }, /^the expression of input failed: JSONata error T0410/],
    [{ config: 'language' }, 'the expression of config returned something that is not an object'],
    [{ context: '[language]' }, 'the expression of context returned something that is not an object'],
    [{ output: '$uppercase(7)' }, /^the expression of output failed/],
  ];
  for (const [options, message] of cases) {
    t.test(JSON.stringify(options), async (t) => {
      const { url } = await serverOf(t, { 'POST /runs/stream': [{ body: sse(['values', said('x')]) }] });
      t.match((await pluginFor(t, url, options)()).result, { kind: 'failed', message, retryable: false });
    });
  }
});

t.test('options that no request could be made with are refused, and no value is repeated', async (t) => {
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
  t.strictSame(problemsOf('http://a', { context: '[1]' }), ['/context'], 'it never returns an object');
  const needed = { url: 'http://a', assistant: 'agent' };
  t.strictSame(faultsOf(langgraph, { ...needed, maxResponse: '1B' }), []);
  t.strictSame(faultsOf(langgraph, { ...needed, maxResponse: '0B' }), ['/maxResponse']);
});
