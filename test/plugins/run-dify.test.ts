import { once } from 'node:events';
import t, { type Test } from 'tap';
import dify from '../../plugins/run/dify/index.ts';
import type { Options } from '../../plugins/run/dify/options.gen.ts';
import { type JsonValue, OptionsError, type RunRequest, type Session } from '../../src/contract/index.ts';
import { httpHarness } from '../../src/run-kit/conformance.ts';
import { basicFiles, configFolder, durable, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { type DifyRequest, DifyServer, type DifyStream, refuse } from '../support/dify-server.ts';
import { callingContext } from '../support/exchange.ts';
import { serveFolder } from '../support/gateway.ts';
import { drive, faultsOf, inOwnSession, runRequest, testPromises } from '../support/run-plugin.ts';
import { until } from '../support/until.ts';

process.env.DIFY_KEY_OF_THE_TESTS = 'app-agent';

const run = runRequest({
  trigger: 'ask',
  input: { environment: 'api', language: 'en', instruction: 'refund order 7 – süß', order: { id: 7 } },
});

/** The default user for Dify. */
function userOf(sessionId: string) {
  return inOwnSession({ ...run, sessionId }).conversation;
}

function sessionWith(memory: JsonValue | undefined): Session {
  return { memory, remember() {} };
}

function pluginFor(t: Test, url: string, changes: Partial<Options> = {}) {
  const warnings: string[] = [];
  const { context } = callingContext(t);
  const report = ({ message }: { message: string }) => void warnings.push(message);
  const options: Options = { ...usable, url, ...changes };
  const plugin = dify.create({ ...context, report }, options);
  return {
    warnings,
    execute: (changes: Partial<RunRequest> = {}, signal?: AbortSignal, onDelta = () => {}) =>
      drive(plugin, inOwnSession({ ...run, ...changes }), { signal, onDelta }),
  };
}

const usable: Options = {
  ...{ url: 'http://127.0.0.1/v1', apiKey: 'app-chat', app: 'chat' },
  ...{ timeout: 20_000, maxResponse: 2 ** 20, connections: 8 },
};

t.test('keeps what every run plugin promises', async (t) => {
  const event = (data: object) => `data: ${JSON.stringify({ task_id: 'task-1', ...data })}\n\n`;
  testPromises(
    t,
    httpHarness({
      plugin: dify,
      options: (url, { maxResponse }) => ({ ...usable, url, maxResponse }),
      headers: { 'content-type': 'text/event-stream' },
      answer: (answer) =>
        event({ event: 'message', answer }) + event({ event: 'message_end', conversation_id: 'conversation-1' }),
      wrap: (json) => Buffer.concat([Buffer.from('data: '), json, Buffer.from('\n\n')]),
      piece: () => event({ event: 'message', answer: 'x' }),
      begin: () => ({ body: event({ event: 'agent_thought' }) }),
      stops: ({ path }) => path === '/chat-messages/task-1/stop',
    }),
  );
});

t.test(
  'a conversation of three turns goes on over a restart of the gateway, and no other session knows of it',
  async (t) => {
    const server = await DifyServer.start(t);
    const use = { uses: 'dify', with: { url: server.url, apiKey: { env: 'DIFY_KEY_OF_THE_TESTS' } } };
    const folder = await configFolder(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ engine: durable, outbound: { allow: ['127.0.0.1'] } }),
      'ask.yaml': triggerFile('ask', { run: use }),
    });
    const ask = async (gateway: Awaited<ReturnType<typeof serveFolder>>, sessionId: string, instruction: string) => {
      const { status, body } = await gateway.fire('ask', { sessionId, instruction });
      t.equal(status, 200);
      return body.output;
    };
    const first = await serveFolder(t, folder);
    t.equal(await ask(first, 'ada', 'hello'), 'Turn 1, which began with hello.');
    t.equal(await ask(first, 'ada', 'and then?'), 'Turn 2, which began with hello.');
    await first.gateway.close();
    const second = await serveFolder(t, folder);
    t.equal(await ask(second, 'ada', 'thank you'), 'Turn 3, which began with hello.');
    t.equal(await ask(second, 'bob', 'good day'), 'Turn 1, which began with good day.');
    t.strictSame(
      server.requests.map(({ body }) => body.user),
      [userOf('ada'), userOf('ada'), userOf('ada'), userOf('bob')],
    );
  },
);

t.test('reports token usage, and streams its text to callers', async (t) => {
  const server = await DifyServer.start(t);
  const use = { uses: 'dify', with: { url: server.url, apiKey: { env: 'DIFY_KEY_OF_THE_TESTS' } } };
  const gateway = await serveFolder(
    t,
    await configFolder(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ outbound: { allow: ['127.0.0.1'] } }),
      'ask.yaml': triggerFile('ask', { run: use, respond: { uses: 'stream' } }),
    }),
  );
  const streamed = await gateway.fire('ask', { instruction: 'hello' }, { headers: { accept: 'text/event-stream' } });
  const texts = [...streamed.text.matchAll(/^event: delta\ndata: (.+)$/gm)].map(
    ([, data = '{}']) => JSON.parse(data).text,
  );
  t.equal(texts.join(''), 'Turn 1, which began with hello.');
  t.match(streamed.text, /"usage":\{"inputTokens":1033,"outputTokens":135\}/);
});

t.test('requests to an app', async (t) => {
  const server = await DifyServer.start(t);
  const { url, requests } = server;

  t.test('requests a stream, as the user of the session or the trigger', async (t) => {
    const { execute } = pluginFor(t, `${url}/`);
    t.match(await execute(), { result: { kind: 'succeeded' } });
    t.equal(requests.at(-1)?.path, 'chat-messages');
    const body = { query: run.input.instruction, inputs: {}, response_mode: 'streaming', user: 'support/ask' };
    t.strictSame(requests.at(-1)?.body, body);
    await execute({ sessionId: 'ada', session: sessionWith(undefined) });
    t.equal(requests.at(-1)?.body.user, userOf('ada'));
  });

  t.test('sends what the options map the body to', async (t) => {
    const { execute } = pluginFor(t, url, {
      query: 'Order {{ order.id }} of {{ $run.trigger }} for {{ $run.caller }}: {{ instruction }}',
      inputs: "{ 'order': order.id, 'language': language }",
      user: '{{ customer.id }}',
    });
    await execute({ input: { ...run.input, customer: { id: 'c-9' } } });
    t.match(requests.at(-1)?.body, {
      query: 'Order 7 of ask for website: refund order 7 – süß',
      inputs: { order: 7, language: 'en' },
      user: 'c-9',
    });
    await execute({ sessionId: 'ada' });
    t.equal(requests.at(-1)?.body.user, userOf('ada'), 'an empty user falls back to the default');
  });

  t.test('sends an instruction that is an object as JSON', async (t) => {
    await pluginFor(t, url).execute({ input: { ...run.input, instruction: { do: 'refund' } } });
    t.equal(requests.at(-1)?.body.query, '{"do":"refund"}');
  });

  t.test('sends the body as JSON without an instruction, without the members of the gateway', async (t) => {
    const { instruction: _, ...input } = run.input;
    await pluginFor(t, url).execute({ input });
    t.equal(requests.at(-1)?.body.query, '{"order":{"id":7}}');
  });

  t.test('sends nothing when the query is empty or inputs are no object', async (t) => {
    const before = requests.length;
    const asked = await pluginFor(t, url).execute({ input: { environment: 'api', language: 'en' } });
    const empty = { kind: 'failed', message: 'there is nothing to ask: the query is empty', retryable: false };
    t.match(asked.result, empty);
    t.match((await pluginFor(t, url, { query: ' {{ nothing }}' }).execute()).result, empty);
    const { result } = await pluginFor(t, url, { inputs: 'order.id' }).execute();
    t.match(result, { kind: 'failed', message: /not an object/, retryable: false });
    t.match((await pluginFor(t, url, { inputs: '$error()' }).execute()).result, { kind: 'failed', message: /JSONata/ });
    t.equal(requests.length, before);
  });

  t.test('reuses connections for the next runs', async (t) => {
    const { execute } = pluginFor(t, url);
    const before = server.sockets.size;
    for (let count = 0; count < 20; count += 1) await execute();
    // A run that follows at once comes before its predecessor's connection is free again.
    t.ok(server.sockets.size <= before + 2);
  });
});

t.test('answers of an app', async (t) => {
  const server = await DifyServer.start(t);
  const { url } = server;
  const usage = { inputTokens: 1033, outputTokens: 135 };
  const output = 'Turn 1, which began with refund order 7 – süß.';
  const deltas = ['Turn 1', ', which began with ', 'refund order 7 – süß.'];

  for (const app of ['chat', 'agent', 'chatflow']) {
    t.test(`returns the text of a ${app} app`, async (t) => {
      const answered = await pluginFor(t, url, { apiKey: `app-${app}` }).execute();
      t.match(answered, { deltas });
      t.strictSame(answered.result, { kind: 'succeeded', output, usage });
    });
  }

  t.test('returns the outputs of a workflow, with the usage of its nodes', async (t) => {
    const workflow: Partial<Options> = { app: 'workflow', apiKey: 'app-workflow' };
    const { deltas, result } = await pluginFor(t, url, workflow).execute();
    t.strictSame(deltas, ['Dear ', 'Ada']);
    t.strictSame(result, {
      kind: 'succeeded',
      output: { letter: 'Dear Ada', given: run.input },
      usage: { inputTokens: 40, outputTokens: 2 },
    });
    const mapped = await pluginFor(t, url, { ...workflow, inputs: '{}', output: 'data.outputs.letter' }).execute();
    t.match(mapped.result, { kind: 'succeeded', output: 'Dear Ada' });
  });

  t.test('returns no usage of a workflow whose nodes do not add up to the total', async (t) => {
    t.teardown(() => (server.script = undefined));
    server.script = (stream) => {
      const outputs = { usage: { prompt_tokens: 40, completion_tokens: 2 } };
      stream.send({ event: 'node_finished', data: { outputs } });
      stream.send({
        event: 'workflow_finished',
        data: { status: 'partial-succeeded', outputs: null, total_tokens: 100 },
      });
      stream.end();
    };
    const { result } = await pluginFor(t, url, { app: 'workflow', apiKey: 'app-workflow' }).execute();
    t.strictSame(result, { kind: 'succeeded', output: null });
  });

  t.test('maps the last event with the expression of output', async (t) => {
    const source = "{ 'text': answer, 'from': metadata.retriever_resources.document_name }";
    const { result } = await pluginFor(t, url, { output: source }).execute();
    t.match(result, { kind: 'succeeded', output: { text: output, from: 'Handbook' }, usage });
    const failed = await pluginFor(t, url, { output: '$error()' }).execute({ session: sessionWith(undefined) });
    t.match(failed.result, { kind: 'failed', retryable: false, usage, memory: { conversationId: /./ } });
    t.match((await pluginFor(t, url, { output: 'nothing' }).execute()).result, { kind: 'succeeded', output: null });
  });

  t.test('returns the text that replaces another, and streams no more of either', async (t) => {
    t.teardown(() => (server.script = undefined));
    server.script = (stream) => {
      stream.send({ event: 'message', answer: 'Something rude' });
      stream.send({ event: 'message_replace', answer: 'Let us', reason: 'output_moderation' });
      stream.send({ event: 'message', answer: ' be kind.' });
      stream.send({ event: 'message_end', metadata: {} });
      stream.end();
    };
    const { deltas, result } = await pluginFor(t, url).execute();
    t.strictSame(deltas, ['Something rude']);
    t.strictSame(result, { kind: 'succeeded', output: 'Let us be kind.' });
  });

  t.test('reads events that arrive byte by byte, and ignores unknown ones', async (t) => {
    t.teardown(() => (server.script = undefined));
    server.script = async (stream) => {
      const known = 'data: {"event":"message","answer":"süß"}\r\n\r\n';
      const unknown = 'data: 7\n\ndata: {"event":"brand_new"}\n\ndata: {"event":"message","answer":7}\n\n';
      for (const byte of Buffer.from(`: hello\n\nevent: ping\n\n${unknown}${known}`)) {
        stream.raw(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
      stream.send({ event: 'message_end', metadata: { usage: { prompt_tokens: -1, completion_tokens: 'many' } } });
      stream.end();
    };
    const { deltas, result } = await pluginFor(t, url).execute();
    t.strictSame(deltas, ['süß']);
    t.strictSame(result, { kind: 'succeeded', output: 'süß' });
  });

  t.test('ends with the last event, without waiting for the end of the stream', async (t) => {
    t.teardown(() => (server.script = undefined));
    server.script = (stream) => stream.send({ event: 'message_end' });
    t.match(await pluginFor(t, url).execute(), { result: { kind: 'succeeded', output: '' } });
  });
});

t.test('conversations of a session', async (t) => {
  const server = await DifyServer.start(t);
  const { execute } = pluginFor(t, server.url, { apiKey: 'app-agent' });
  const remembered = async (): Promise<JsonValue> => {
    const { result } = await execute({ sessionId: 'ada', session: sessionWith(undefined) });
    return result?.memory ?? null;
  };

  t.test('reports a conversation that is gone and forgets it, so that the next turn begins anew', async (t) => {
    const memory = await remembered();
    const { conversationId } = memory as { conversationId: string };
    server.forget(conversationId);
    const gone = await execute({ sessionId: 'ada', session: sessionWith(memory) });
    t.strictSame(gone.result, {
      kind: 'failed',
      message: 'agent answered 404 (not_found): the conversation is gone, and the next request begins a new one',
      retryable: false,
      memory: null,
    });
    const { result } = await execute({ sessionId: 'ada', session: sessionWith(null) });
    t.match(result, { kind: 'succeeded', output: /^Turn 1,/, memory: { conversationId: /^(?!null)/ } });
    t.notSame(result?.memory, memory);
  });

  t.test('keeps its conversation when another resource is not found', async (t) => {
    const memory = await remembered();
    const elsewhere = pluginFor(t, `${server.url}/v2`, { apiKey: 'app-agent' });
    const { result } = await elsewhere.execute({ sessionId: 'ada', session: sessionWith(memory) });
    t.match(result, { kind: 'failed', message: 'agent answered 404 (not_found)' });
    t.equal(result?.memory, undefined);
  });

  t.test('remembers nothing without a sessionId', async (t) => {
    t.equal((await execute()).result?.memory, undefined);
  });

  t.test('begins anew when the memory is of another plugin', async (t) => {
    for (const memory of ['text', 7, [], {}, { conversationId: 7 }, { conversationId: 'x'.repeat(1000) }]) {
      const { result } = await execute({ sessionId: 'ada', session: sessionWith(memory) });
      t.match(result, { kind: 'succeeded', output: /^Turn 1,/ });
    }
  });
});

t.test('failures', async (t) => {
  const server = await DifyServer.start(t);
  const { url } = server;
  const failed = (message: string, retryable: boolean) => ({ kind: 'failed', message, retryable });
  const resultOf = async (t: Test, script: (stream: DifyStream, request: DifyRequest) => unknown, options = {}) => {
    t.teardown(() => (server.script = undefined));
    server.script = script;
    return (await pluginFor(t, url, options).execute()).result;
  };
  const secret = 'in the message';

  t.test('reports an error before the stream by status and code, without its message', async (t) => {
    t.strictSame(
      (await pluginFor(t, url, { apiKey: 'app-unknown' }).execute()).result,
      failed('agent answered 401 (unauthorized)', false),
    );
    t.strictSame(
      (await pluginFor(t, url, { apiKey: 'app-workflow' }).execute()).result,
      failed('agent answered 400 (not_chat_app)', false),
    );
  });

  t.test('reports an error in the stream by its code, without its message', async (t) => {
    const cases = [
      [
        { code: 'invalid_param', status: 400, message: `Run failed: ${secret}` },
        'the app failed (invalid_param)',
        false,
      ],
      [
        { code: 'completion_request_error', status: 400, message: `[openai] Bad Request Error, ${secret}` },
        'the app failed (completion_request_error)',
        false,
      ],
      [
        { code: 'completion_request_error', status: 400, message: `[openai] Rate Limit Error, ${secret}` },
        'the app failed (completion_request_error)',
        true,
      ],
      [
        { code: 'completion_request_error', status: 400, message: `[openai] Server Unavailable Error, ${secret}` },
        'the app failed (completion_request_error)',
        true,
      ],
      [{ code: 'too_many_requests', status: 429, message: secret }, 'the app failed (too_many_requests)', true],
      [{ code: 'rate_limit_error', status: 429, message: secret }, 'the app failed (rate_limit_error)', false],
      [{ code: 'internal_server_error', status: 500, message: secret }, 'the app failed (internal_server_error)', true],
      [{ code: 'a code that tells a S3CRET', status: 400 }, 'the app failed', false],
      [{}, 'the app failed', false],
    ] as const;
    for (const [error, message, retryable] of cases) {
      const result = await resultOf(t, (stream) => {
        stream.send({ event: 'message', answer: 'Well, ' });
        stream.send({ event: 'error', ...error });
        stream.end();
      });
      t.strictSame(result, failed(message, retryable));
    }
  });

  t.test('fails when a workflow fails, is stopped or waits for a human', async (t) => {
    const cases = [
      [{ event: 'workflow_finished', data: { status: 'failed', error: secret } }, 'the workflow failed', false],
      [
        { event: 'workflow_finished', data: { status: 'failed', error: '[x] Rate Limit Error, ' } },
        'the workflow failed',
        true,
      ],
      [{ event: 'workflow_finished', data: { status: 'stopped' } }, 'the workflow was stopped', false],
      [
        { event: 'workflow_paused', data: { reasons: [] } },
        'the app waits for human input, which is not supported',
        false,
      ],
    ] as const;
    for (const [event, message, retryable] of cases) {
      const script = (stream: DifyStream) => {
        stream.send(event);
        stream.end();
      };
      t.strictSame(await resultOf(t, script), failed(message, retryable), 'a chatflow');
      const workflow = { app: 'workflow', apiKey: 'app-workflow' } as const;
      t.strictSame(await resultOf(t, script, workflow), failed(message, retryable), 'a workflow');
    }
  });

  t.test('fails for now on transient statuses, and returns the pause that Dify asks for', async (t) => {
    t.teardown(() => (server.refuse = undefined));
    server.refuse = (response) => refuse(response.setHeader('retry-after', '7'), 429, 'too_many_requests', secret);
    const busy = failed('agent answered 429 (too_many_requests)', true);
    t.strictSame((await pluginFor(t, url).execute()).result, { ...busy, retryAfterMs: 7000 });
    server.refuse = (response) => refuse(response, 429, 'rate_limit_error', secret);
    const exhausted = failed('agent answered 429 (rate_limit_error)', false);
    t.strictSame((await pluginFor(t, url).execute()).result, exhausted);
    server.refuse = (response) => response.writeHead(502).end('<html>Bad Gateway');
    t.strictSame((await pluginFor(t, url).execute()).result, failed('agent answered 502', true));
  });

  t.test('fails on a redirect and on an answer that is no stream', async (t) => {
    t.teardown(() => (server.refuse = undefined));
    server.refuse = (response) => response.writeHead(301, { location: url }).end();
    const redirected = failed('agent answered 301: redirects are not followed', false);
    t.strictSame((await pluginFor(t, url).execute()).result, redirected);
    server.refuse = (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    const message = 'agent answered with something that is not a stream of events';
    t.strictSame((await pluginFor(t, url).execute()).result, failed(message, false));
  });

  t.test('fails on a stream that is cut off, malformed or hostile', async (t) => {
    const cases = [
      [(stream: DifyStream) => stream.end(), 'agent stopped answering before the end', true],
      [(stream: DifyStream) => stream.raw('data: {"event":\n\n'), 'agent answered with invalid JSON', false],
      [
        (stream: DifyStream) => stream.raw(Uint8Array.of(0xff, 0x0a)),
        'agent answered with text that is not UTF-8',
        false,
      ],
      [
        (stream: DifyStream) => stream.raw(`data: ${'['.repeat(1000)}${']'.repeat(1000)}\n\n`),
        'agent answered with JSON nested deeper than 200 levels',
        false,
      ],
    ] as const;
    for (const [script, message, retryable] of cases)
      t.strictSame(await resultOf(t, script), failed(message, retryable));
  });

  t.test('fails for now when the connection breaks within the answer', async (t) => {
    const result = await resultOf(t, (stream) => {
      stream.send({ event: 'message', answer: 'Well, ' });
      setImmediate(() => stream.cut());
    });
    t.match(result, { kind: 'failed', message: /^the connection to the agent failed/, retryable: true });
  });

  t.test('fails for now when the connection is refused', async (t) => {
    const { result } = await pluginFor(t, 'http://127.0.0.1:1/v1').execute();
    t.match(result, failed('the connection to the agent failed (ECONNREFUSED)', true));
  });
});

t.test('stopping an app', async (t) => {
  const server = await DifyServer.start(t);
  /** Begins to answer, and never ends. */
  server.script = (stream) => stream.send({ event: 'message', answer: 'Well, ' });
  const begun = async (execution: ReturnType<typeof pluginFor>, signal: AbortSignal, changes = {}) => {
    const before = server.requests.length;
    const ended = execution.execute(changes, signal);
    const request = await until(() => server.requests[before]);
    await until(() => request.response.headersSent);
    return { ended, closed: once(request.response, 'close') };
  };

  for (const app of ['chat', 'workflow'] as const) {
    t.test(`stops a ${app} app when the run is cancelled`, async (t) => {
      const controller = new AbortController();
      const plugin = pluginFor(t, server.url, { app, apiKey: `app-${app}` });
      const { ended, closed } = await begun(plugin, controller.signal, { sessionId: 'ada' });
      const before = server.stopped.length;
      await new Promise(setImmediate);
      controller.abort();
      t.match(await ended, { result: { kind: 'failed', message: 'the run was aborted', retryable: false } });
      await closed;
      await until(() => server.stopped.length > before);
      t.match(server.requests.at(-1), {
        path: /^(chat-messages|workflows\/tasks)\/[^/]+\/stop$/,
        body: { user: userOf('ada') },
      });
    });
  }

  t.test('stops the app when the time of the attempt is up', async (t) => {
    const before = server.stopped.length;
    const { result } = await pluginFor(t, server.url, { timeout: 100 }).execute();
    t.match(result, { kind: 'failed', message: 'the run did not end within 0.1s', retryable: true });
    await until(() => server.stopped.length > before);
  });

  t.test('stops the app while all connections are busy', async (t) => {
    const plugin = pluginFor(t, server.url, { connections: 1 });
    const before = server.stopped.length;
    const runs = [new AbortController(), new AbortController()].map((controller) => {
      const told = Promise.withResolvers<void>();
      return { controller, told: told.promise, ended: plugin.execute({}, controller.signal, told.resolve) };
    });
    for (const [index, { controller, told, ended }] of runs.entries()) {
      await told;
      // The other one takes the connection.
      controller.abort();
      await ended;
      await until(() => server.stopped.length > before + index);
    }
  });

  t.test('ends a cancelled run that still waits for a free connection', async (t) => {
    const plugin = pluginFor(t, server.url, { connections: 1 });
    const busy = new AbortController();
    const first = await begun(plugin, busy.signal);
    const waiting = new AbortController();
    const second = plugin.execute({}, waiting.signal);
    setImmediate(() => waiting.abort());
    t.match(await second, { result: { kind: 'failed', message: 'the run was aborted' } });
    busy.abort();
    await first.ended;
  });
});

t.test('warns of an address that is not called', async (t) => {
  t.strictSame(pluginFor(t, 'http://127.0.0.1/v1').warnings, []);
  t.match(pluginFor(t, 'http://10.0.0.1/v1').warnings, [/not a public address/]);
});

t.test('options', async (t) => {
  const refusalOf = (changes: Partial<Options>) => {
    try {
      pluginFor(t, 'http://127.0.0.1/v1', changes);
    } catch (error) {
      if (OptionsError.is(error)) return error;
      throw error;
    }
    return undefined;
  };

  t.test('refuses a URL that no path can be appended to', async (t) => {
    for (const url of [
      'dify',
      'ftp://host/v1',
      'https://me:s3cret@host/v1',
      'https://host/v1?x=1',
      'https://host/v1#x',
    ]) {
      const refusal = refusalOf({ url });
      t.match(refusal?.problems, [{ pointer: '/url' }], url);
      t.notMatch(refusal?.message, /s3cret/);
    }
  });

  t.test('refuses inputs that are never an object, and accepts constant ones without a warning', async (t) => {
    t.match(refusalOf({ inputs: '[1]' })?.problems, [{ pointer: '/inputs', message: /must return an object/ }]);
    const changes = { inputs: "{ 'a': 1 }", user: "{{ 'web' }}", output: 'true' };
    t.strictSame(pluginFor(t, 'http://127.0.0.1/v1', changes).warnings, []);
  });

  t.test('refuses an API key of two lines, without repeating it', async (t) => {
    const refusal = refusalOf({ apiKey: 'app-s3cret\nx' });
    t.match(refusal?.problems, [{ pointer: '/apiKey' }]);
    t.notMatch(refusal?.message, /s3cret/);
  });

  t.test('refuses expressions that do not parse, a query for a workflow, and limits of zero', async (t) => {
    t.match(refusalOf({ query: '{{ ( }}' })?.problems, [{ pointer: '/query' }]);
    t.match(refusalOf({ inputs: '(' })?.problems, [{ pointer: '/inputs' }]);
    t.match(refusalOf({ user: '{{ ' })?.problems, [{ pointer: '/user' }]);
    t.match(refusalOf({ output: 'a b' })?.problems, [{ pointer: '/output' }]);
    t.match(refusalOf({ app: 'workflow', query: 'x' })?.problems, [{ pointer: '/query' }]);
    const apiKey = { env: 'DIFY_KEY_OF_THE_TESTS' };
    t.strictSame(faultsOf(dify, { apiKey, timeout: '0s' }), ['/timeout']);
    t.strictSame(faultsOf(dify, { apiKey, maxResponse: '0B' }), ['/maxResponse']);
    t.strictSame(faultsOf(dify, { apiKey, timeout: '1ms', maxResponse: '1B' }), []);
  });
});
