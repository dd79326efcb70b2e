import t, { type Test } from 'tap';
import type { Options } from '../../../plugins/run/openai/options.gen.ts';
import { latestTurns, type Message } from '../../../plugins/run/openai/transcript.ts';
import { type JsonValue, OptionsError } from '../../../src/contract/index.ts';
import { checkConfig } from '../../../src/runtime/check-config.ts';
import { configFolder, durable } from '../../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { listen } from '../../support/listen.ts';
import { messageItem, modelResponse } from '../../support/responses-endpoint.ts';
import {
  agent,
  chunk,
  completion,
  counted,
  endpointAnswering,
  endpointThatGoesOnAfter,
  gatewayFiles,
  mockWith,
  pluginFor,
  requestFor,
  sse,
  usage,
} from './endpoint.ts';

const ask = requestFor({ instruction: 'a?' });

t.test('chat', async (t) => {
  t.test('a conversation continues after a restart of the gateway, and is unknown to another sessionId', async (t) => {
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
      return [body.output, JSON.parse(JSON.stringify(mock.getLastRequest()?.body)).messages];
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

  t.test('the answer is streamed, and the run has its tokens', async (t) => {
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
    const run = await gateway.fire('chat', undefined, { method: 'GET', path: `/run/${message.runId}` });
    t.match(run.body, { status: 'succeeded', usage: counted });
    t.match(mock.getLastRequest()?.body, { stream: true, stream_options: { include_usage: true } });
  });

  t.test('a request has the parameters, the key and the headers of the options, and nothing else', async (t) => {
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
    t.match((await run(ask)).result, { output: 'yes', usage: counted });
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
  });

  t.test('the query of baseUrl is sent with every request', async (t) => {
    const { url, requests } = await endpointAnswering(t, completion({ content: 'yes' }));
    await (await pluginFor(t, `${url}/?api-version=2026-01-01`)).run(ask);
    t.equal(requests[0]?.url, '/v1/chat/completions?api-version=2026-01-01');
  });

  t.test('the user message is the instruction, the body, or what a template makes of it', async (t) => {
    const { url, requests } = await endpointAnswering(t, completion({ content: 'yes' }));
    const { run } = await pluginFor(t, url, { stream: false });
    const asked = async (input: object) => {
      await run(requestFor(input, undefined, { session: undefined }));
      return JSON.parse(JSON.stringify(requests.at(-1)?.body)).messages[0].content;
    };
    t.equal(await asked({ instruction: 'refund it', order: 7 }), 'refund it');
    t.equal(await asked({ instruction: { do: 'refund' }, order: 7, sessionId: 'a' }), '{"do":"refund"}');
    t.equal(await asked({ order: 7 }), '{"order":7}');
    const templated = await pluginFor(t, url, { stream: false, user: 'Order {{ order }} of {{ $run.trigger }}' });
    await templated.run(requestFor({ order: 7 }));
    t.match(requests.at(-1)?.body, { messages: [{ content: 'Order 7 of chat' }] });
    const count = requests.length;
    const message = 'there is nothing to ask: the user message is empty';
    t.match((await run(requestFor({}))).result, { kind: 'failed', message });
    t.equal(requests.length, count, 'and no request is sent without');
  });

  t.test('an endpoint that does not stream may send its answer as a whole', async (t) => {
    const { url } = await endpointAnswering(t, completion({ content: 'all at once' }));
    const { run } = await pluginFor(t, url);
    t.match(await run(ask), { deltas: [], result: { output: 'all at once', usage: counted } });
  });

  t.test('a run ends with its answer, although the endpoint leaves the stream open', async (t) => {
    const last = chunk({ delta: { content: 'hi' }, finish_reason: 'stop' });
    const tokens = chunk({}, { choices: [], usage });
    const cases = {
      'with the tokens in a chunk of their own': [[last, tokens], {}, counted],
      'with the tokens in the last chunk': [[chunk({ ...last.choices[0] }, { usage })], {}, counted],
      'without tokens that were not asked for': [[last], { includeUsage: false }, undefined],
      'without tokens that the endpoint does not send': [[last], {}, undefined],
    } as const;
    for (const [name, [events, options, used]] of Object.entries(cases)) {
      t.test(name, { buffered: true }, async (t) => {
        const { url, closed } = await endpointThatGoesOnAfter(t, events);
        const { run } = await pluginFor(t, url, options);
        const { result } = await run(ask);
        t.match(result, { kind: 'succeeded', output: 'hi' });
        t.same(result.usage, used);
        // The rest of the stream is waited for a second, then the connection is cut.
        if (used !== undefined) await Promise.all(closed);
      });
    }
    t.jobs = 4;
  });

  t.test('a connection serves one run after the other', async (t) => {
    const sockets = new Set<unknown>();
    const origin = await listen(t, (request, response) => {
      sockets.add(request.socket);
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(sse([chunk({ delta: { content: 'a' }, finish_reason: 'stop' }), '[DONE]']));
      setImmediate(() => response.end());
    });
    const { run } = await pluginFor(t, `${origin}/v1`);
    for (let count = 0; count < 10; count += 1) await run(ask);
    // A run that follows at once may come before its predecessor's connection is free again.
    t.ok(sockets.size <= 5, `${sockets.size} connections`);
  });

  t.test('the transcript holds the latest turns, each whole, within the bounds', async (t) => {
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
    t.same(latestTurns([escaped], { turns: 5, characters: 500_000 }), [], 'a turn that is too long as JSON is dropped');

    const { url, requests } = await endpointAnswering(t, completion({ content: 'ok' }));
    const { run } = await pluginFor(t, url, { stream: false, history: { turns: 1, characters: 100 } });
    const remembered = transcript.map((message) => ({ ...message }));
    const { result } = await run(requestFor({ instruction: 'now' }, remembered));
    const now = { role: 'user', content: 'now' };
    t.match(requests[0]?.body, { messages: [...transcript.slice(4), now] });
    t.same(result.memory, [now, { role: 'assistant', content: 'ok' }]);
    for (const foreign of ['text', { responseId: 'resp_1' }, [{ role: 'system', content: 'obey' }], [1]]) {
      await run(requestFor({ instruction: 'now' }, foreign));
      t.match(requests.at(-1)?.body, { messages: [now] }, 'the memory of another agent is ignored');
    }
  });
});

t.test('output', async (t) => {
  const schema = { type: 'object', required: ['urgent'], properties: { urgent: { type: 'boolean' } } };

  t.test('the text is parsed if the format is json', async (t) => {
    const chat = await endpointAnswering(t, completion({ content: '{"urgent":true}' }));
    const responses = await endpointAnswering(t, modelResponse({ output: [messageItem('{"urgent":true}')] }));
    for (const stream of [true, false]) {
      const options = { format: 'json', schema, stream } as const;
      const { run } = await pluginFor(t, chat.url, options);
      t.match((await run(ask)).result, { kind: 'succeeded', output: { urgent: true } });
      const parameters = { text: { verbosity: 'low' } };
      const other = await pluginFor(t, responses.url, { ...options, api: 'responses', parameters });
      t.match((await other.run(ask)).result, { kind: 'succeeded', output: { urgent: true } });
    }
    const form = { name: 'output', schema, strict: true };
    t.match(chat.requests[0]?.body, { response_format: { type: 'json_schema', json_schema: form } });
    t.match(responses.requests[0]?.body, { text: { verbosity: 'low', format: { type: 'json_schema', ...form } } });
    await (await pluginFor(t, chat.url, { format: 'json' })).run(ask);
    t.match(chat.requests.at(-1)?.body, { response_format: { type: 'json_object' } });
  });

  t.test('a text that is not the requested JSON fails the run', async (t) => {
    const { url } = await endpointAnswering(t, completion({ content: 'Sure! {' }));
    const { result } = await (await pluginFor(t, url, { format: 'json' })).run(ask);
    const message = 'the model answered with invalid JSON';
    t.match(result, { kind: 'failed', message, retryable: true, usage: counted });
  });

  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'A greeting.' }] };
  const contents: Record<string, [JsonValue, object]> = {
    'with thoughts before it': [[thinking, { type: 'text', text: 'Hello' }], { kind: 'succeeded', output: 'Hello' }],
    'beside a reference': [
      [{ type: 'text', text: 'Hel' }, { type: 'reference', reference_ids: [1] }, 'lo'],
      { kind: 'succeeded', output: 'Hello' },
    ],
    'that is annotated': [
      { type: 'text', text: { value: 'Hello' } },
      { kind: 'succeeded', output: 'Hello' },
    ],
    'that is only thought': [
      [thinking],
      { kind: 'failed', message: 'the model answered with no text', retryable: true },
    ],
    'that is null': [null, { kind: 'failed', message: 'the model answered with no text', usage: counted }],
    'that is an image': [
      [{ type: 'image_url', image_url: { url: 'data:' } }],
      { kind: 'failed', message: /^the model answered with content that is not text/, retryable: false },
    ],
    'of an unknown shape': [{ greeting: 'Hello' }, { kind: 'failed', message: /content that is not text/ }],
  };
  for (const [name, [content, expected]] of Object.entries(contents)) {
    t.test(`a text ${name} is the output, or fails the run`, async (t) => {
      const whole = await endpointAnswering(t, completion({ content }));
      t.match((await (await pluginFor(t, whole.url, { stream: false })).run(ask)).result, expected, 'whole');
      const chunks = [chunk({ delta: { content } }), chunk({ finish_reason: 'stop' }, { usage }), '[DONE]'];
      const { url } = await endpointAnswering(t, chunks);
      t.match((await (await pluginFor(t, url)).run(ask)).result, expected, 'streamed');
    });
  }

  t.test('a response whose messages have text as their content is understood', async (t) => {
    const response = (content: JsonValue) => ({
      ...{ id: 'resp_1', object: 'response', status: 'completed' },
      output: [
        { type: 'reasoning', summary: [] },
        { type: 'message', role: 'assistant', content },
      ],
    });
    const resultOf = async (content: JsonValue) => {
      const { url } = await endpointAnswering(t, response(content));
      return (await (await pluginFor(t, url, { api: 'responses', stream: false })).run(ask)).result;
    };
    t.match(await resultOf('Hello'), { kind: 'succeeded', output: 'Hello' });
    t.match(await resultOf([{ type: 'text', text: 'Hello' }]), { kind: 'succeeded', output: 'Hello' });
    t.match(await resultOf([{ type: 'output_image', image: 'x' }]), { kind: 'failed', message: /not text/ });
    t.match(await resultOf([]), { kind: 'failed', message: 'the model answered with no text' });
  });

  t.test('a refusal is an output as text, and fails the run as JSON', async (t) => {
    const { url } = await endpointAnswering(t, completion({ refusal: 'I will not.' }));
    const { result } = await (await pluginFor(t, url, { format: 'json' })).run(ask);
    t.match(result, { kind: 'failed', message: 'the model refused to answer', retryable: false });
    t.match((await (await pluginFor(t, url)).run(ask)).result, { kind: 'succeeded', output: 'I will not.' });
  });

  t.test('an expression over the whole answer makes the output, and nothing is streamed before', async (t) => {
    const { url, requests } = await endpointAnswering(t, completion({ content: '{"n":1}' }));
    const output = '{ "text": $text, "next": $json.n + 1, "model": model, "of": $run.trigger }';
    const { run } = await pluginFor(t, url, { output, format: 'json' });
    const { result, deltas } = await run(ask);
    t.match(result, { output: { text: '{"n":1}', next: 2, model: 'gpt-5-mini', of: 'chat' }, usage: counted });
    t.same(deltas, []);
    t.match(requests[0]?.body, { stream: false });
    const failing = await pluginFor(t, url, { output: '$number($text)' });
    t.match((await failing.run(ask)).result, { kind: 'failed', message: /expression of output failed/ });
    const nothing = await pluginFor(t, url, { output: 'nowhere' });
    t.match((await nothing.run(ask)).result, { kind: 'succeeded', output: null });
  });

  t.test('the usage names the model that answered, and what was cached and reasoned', async (t) => {
    const details = {
      prompt_tokens_details: { cached_tokens: 8, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 30 },
    };
    const used = { ...usage, ...details };
    const parts = { ...counted, cachedTokens: 8, reasoningTokens: 30 };
    const whole = { ...completion({ content: 'hi' }), usage: used };
    const chunks = [
      chunk({ delta: { content: 'hi' }, finish_reason: 'stop' }, { model: 'gpt-5-mini-2025-08-07' }),
      chunk({}, { choices: [], usage: used, model: 'gpt-5-mini-2025-08-07' }),
      '[DONE]',
    ];
    const cases: readonly [answer: object, usage: object][] = [
      [whole, parts],
      [
        { ...whole, model: 'gpt-5-mini-2025-08-07' },
        { ...parts, model: 'gpt-5-mini-2025-08-07' },
      ],
      [{ ...whole, model: undefined }, parts],
      [chunks, { ...parts, model: 'gpt-5-mini-2025-08-07' }],
      [{ ...whole, usage: { ...usage, prompt_tokens_details: null, completion_tokens_details: 7 } }, counted],
    ];
    for (const [answer, expected] of cases) {
      const { url } = await endpointAnswering(t, answer);
      t.same((await (await pluginFor(t, url)).run(ask)).result.usage, expected);
    }
  });

  t.test('an expression may take a call of a tool, which otherwise fails the run', async (t) => {
    const call = { id: 'call_1', type: 'function', function: { name: 'refund', arguments: '{"order":7}' } };
    const { url } = await endpointAnswering(t, completion({ tool_calls: [call] }, { finish_reason: 'tool_calls' }));
    const output = 'choices.message.tool_calls.function.name';
    const { result } = await (await pluginFor(t, url, { output })).run(ask);
    t.same(result, { kind: 'succeeded', output: 'refund', usage: counted }, 'the call is not remembered');
    const plain = await (await pluginFor(t, url)).run(ask);
    t.match(plain.result, { kind: 'failed', message: /called a tool/, retryable: false, usage: counted });
  });
});

t.test('options', async (t) => {
  const problemsOf = async (t: Test, changes: Partial<Options>) => {
    try {
      return (await pluginFor(t, 'http://127.0.0.1:9/v1', changes)).findings;
    } catch (error) {
      if (!OptionsError.is(error)) throw error;
      return error.problems;
    }
  };
  const parameters = { response_format: { type: 'json_object' } };
  const cases: Record<string, [Partial<Options>, object[]]> = {
    'the defaults are valid': [{}, []],
    'baseUrl must be an http URL': [{ baseUrl: 'ftp://host' }, [{ pointer: '/baseUrl' }]],
    'baseUrl must not have a fragment': [{ baseUrl: 'http://host/v1#top' }, [{ pointer: '/baseUrl' }]],
    'the key must fit into a header': [{ apiKey: 's3cret\n' }, [{ pointer: '/apiKey' }]],
    'the credential must not be declared twice': [
      { apiKey: 'a', headers: { Authorization: 'b' } },
      [{ pointer: '/apiKey' }],
    ],
    'headers must not set what the gateway sets': [{ headers: { host: 'b' } }, [{ pointer: '/headers/host' }]],
    'background needs responses': [{ background: true }, [{ pointer: '/background' }]],
    'parameters must not set what the gateway sets': [
      { parameters: { messages: [], model: 'x' } },
      [{ pointer: '/parameters/model' }, { pointer: '/parameters/messages' }],
    ],
    'a schema needs the format json': [{ schema: {} }, [{ pointer: '/schema', message: 'needs format: json' }]],
    'the format must not be declared twice': [{ schema: {}, format: 'json', parameters }, [{ pointer: '/schema' }]],
    'a template must parse': [{ system: 'Hello {{ customer. }}' }, [{ pointer: '/system' }]],
    'an expression must parse': [{ output: '$text &' }, [{ pointer: '/output' }]],
    'responses that are not stored are warned of': [
      { api: 'responses', parameters: { store: false } },
      [{ severity: 'warning', pointer: '/parameters/store' }],
    ],
  };
  for (const [name, [changes, problems]] of Object.entries(cases)) {
    t.test(name, async (t) => {
      const found = await problemsOf(t, changes);
      t.equal(found.length, problems.length);
      t.match(found, problems);
    });
  }

  t.test('maxResponse must be greater than 0', async (t) => {
    const folder = await configFolder(t, gatewayFiles({ chat: agent('http://127.0.0.1:9/v1', { maxResponse: '0B' }) }));
    t.match((await checkConfig(folder)).problems, [{ place: { pointer: '/run/with/maxResponse' } }]);
  });
});
