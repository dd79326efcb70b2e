import { buffer } from 'node:stream/consumers';
import t from 'tap';
import http from '../../plugins/run/http/index.ts';
import { OptionsError } from '../../src/contract/index.ts';
import { usageIn } from '../../src/run-kit/usage-in.ts';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, keyFile, projectFile, triggerFile } from '../support/config-folder.ts';
import { callingContext, pluginContext } from '../support/exchange.ts';
import { startTestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import { drive, runRequest } from '../support/run-plugin.ts';
import { pluginFor as a2aFor, agentThat, cardOf, reply, resultOf as rpcResult, taskIn } from './a2a/support.ts';
import { pluginFor as commandFor, node } from './command/support.ts';
import { argv, call as callTool } from './mcp/support.ts';

const openai = {
  ...{ prompt_tokens: 100, completion_tokens: 40, total_tokens: 140 },
  prompt_tokens_details: { cached_tokens: 30, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 10 },
};
const counted = { inputTokens: 100, outputTokens: 40, cachedTokens: 30, reasoningTokens: 10 };

t.test('token counts are read as the gateway, providers and frameworks call them', async (t) => {
  const cases = [
    ['our own', { ...counted, model: 'gpt-5-mini', foreign: 1 }, { ...counted, model: 'gpt-5-mini' }],
    ['both counts alone', { inputTokens: 0, outputTokens: 0 }, { inputTokens: 0, outputTokens: 0 }],
    ['OpenAI, chat completions', openai, counted],
    [
      'OpenAI, responses',
      {
        ...{ input_tokens: 100, output_tokens: 40, input_tokens_details: { cached_tokens: 30 } },
        output_tokens_details: { reasoning_tokens: 10 },
      },
      counted,
    ],
    [
      'Anthropic, whose input excludes what the cache holds',
      { input_tokens: 50, output_tokens: 40, cache_read_input_tokens: 30, cache_creation_input_tokens: 20 },
      { inputTokens: 100, outputTokens: 40, cachedTokens: 30 },
    ],
    [
      'Anthropic without a cache',
      { input_tokens: 50, output_tokens: 40, cache_read_input_tokens: null },
      { inputTokens: 50, outputTokens: 40 },
    ],
    [
      'Amazon Bedrock',
      { inputTokens: 50, outputTokens: 40, cacheReadInputTokens: 30, cacheWriteInputTokens: 20, totalTokens: 140 },
      { inputTokens: 100, outputTokens: 40, cachedTokens: 30 },
    ],
    [
      'Gemini, whose answer excludes thoughts',
      { promptTokenCount: 100, candidatesTokenCount: 30, thoughtsTokenCount: 10, cachedContentTokenCount: 30 },
      counted,
    ],
    [
      'LangChain',
      {
        ...{ input_tokens: 100, output_tokens: 40, input_token_details: { cache_read: 30 } },
        output_token_details: { reasoning: 10 },
      },
      counted,
    ],
    ['AI SDK', { inputTokens: 100, outputTokens: 40, cachedInputTokens: 30, reasoningTokens: 10 }, counted],
    [
      'one for each call of a model',
      [openai, { inputTokens: 1, outputTokens: 2, model: 'b' }],
      { ...counted, inputTokens: 101, outputTokens: 42, model: 'b' },
    ],
  ] as const;
  for (const [name, value, usage] of cases) t.strictSame(usageIn(value), usage, name);
  const others = [
    ...[undefined, null, 'ten', 7, {}, [], [openai, null], { inputTokens: 1 }, { prompt_tokens: 1 }],
    ...[
      { inputTokens: '1', outputTokens: 1 },
      { inputTokens: -1, outputTokens: 1 },
      { inputTokens: 0.5, outputTokens: 1 },
    ],
    ...[
      { inputTokens: 1e13, outputTokens: 1 },
      { input_tokens: null, output_tokens: 1 },
    ],
  ];
  for (const value of others) t.equal(usageIn(value), undefined, JSON.stringify(value));
});

const headers = { 'content-type': 'application/json' };

/** An agent by HTTP that answers with what it is sent. */
async function answering(t: Parameters<typeof listen>[0]): Promise<string> {
  const origin = await listen(t, async (request, response) => {
    const { status = 200, head = {}, answer } = JSON.parse((await buffer(request)).toString());
    response
      .writeHead(status, { ...headers, ...head })
      .end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  return `${origin}/`;
}

t.test('http: the option usage finds tokens in answers, and in errors; without it, none are taken', async (t) => {
  const { context } = callingContext(t);
  const url = await answering(t);
  const warnings: object[] = [];
  const log = { ...pluginContext.log, warn: (fields: object) => void warnings.push(fields) };
  const options = { url, method: 'POST', headers: {}, timeout: 20_000, maxResponse: 1e6, connections: 8 } as const;
  const create = (more: object) => http.create({ ...context, log }, { ...options, ...more });
  const run = create({ usage: 'usage' });
  t.equal(run.reportsUsage, true);
  t.equal(create({}).reportsUsage, false);
  const driven = (input: object, plugin = run) =>
    drive(plugin, { ...runRequest({}), input: { ...runRequest({}).input, ...input } });
  const answered = async (input: object, plugin = run) => (await driven(input, plugin)).result;

  const answer = { reply: 'hi', usage: openai };
  t.strictSame(await answered({ answer }), { kind: 'succeeded', output: answer, usage: counted });
  t.strictSame(await answered({ answer }, create({})), { kind: 'succeeded', output: answer });
  const named = create({ output: 'reply', usage: '$merge([usage, { "model": model }])' });
  t.strictSame(await answered({ answer: { ...answer, model: 'm' } }, named), {
    ...{ kind: 'succeeded', output: 'hi', usage: { ...counted, model: 'm' } },
  });
  const broken = create({ output: '$error("no")', usage: 'usage' });
  t.match(await answered({ answer }, broken), { kind: 'failed', usage: counted }, 'the tokens are used all the same');

  const failures = [
    { status: 500, answer },
    { status: 429, answer: { ...answer, long: 'x'.repeat(10_000) } },
    { status: 200, head: { 'pullcord-outcome': 'failed' }, answer },
  ];
  for (const failure of failures) t.match(await answered(failure), { kind: 'failed', usage: counted });
  const { detail = '' } = await driven(failures[1] ?? {});
  t.equal(Buffer.byteLength(detail), 4096 + 3, 'no more is kept of the body than otherwise');
  t.match(await answered({ status: 500, answer }, create({})), { kind: 'failed', usage: undefined });
  const long = { status: 500, answer: { ...answer, long: 'x'.repeat(70_000) } };
  t.match(await answered(long), { kind: 'failed', message: 'agent answered 500', usage: undefined });
  t.match(await answered({ status: 500, answer: 'no JSON' }), { message: 'agent answered 500', usage: undefined });
  const ofHead = create({
    usage: '$number($response.headers.tokens) ~> function($n) { { "inputTokens": $n, "outputTokens": 0 } }',
  });
  const inHead = { head: { tokens: '7' }, answer: {} };
  t.match(await answered(inHead, ofHead), { kind: 'succeeded', usage: { inputTokens: 7, outputTokens: 0 } });
  t.match(await answered({ ...inHead, status: 503 }, ofHead), { kind: 'failed', usage: { inputTokens: 7 } });
  t.strictSame(
    warnings.filter((fields) => 'fault' in fields),
    [],
  );

  for (const wrong of [{}, { usage: 'secret' }, { usage: { input_tokens: 1 } }]) {
    t.strictSame(await answered({ answer: wrong }), { kind: 'succeeded', output: wrong });
  }
  t.strictSame(await answered({ answer: {} }, create({ usage: '$error(usage)' })), { kind: 'succeeded', output: {} });
  const faults = warnings.map((fields) => Object(fields).fault);
  t.match(faults, [/returned nothing/, /the expression of usage failed/], 'once for each trigger of an instance');
  t.notMatch(JSON.stringify(warnings), /secret/);

  t.throws(() => create({ usage: 'usage[' }), OptionsError);
});

t.test(
  'http: what an agent posts to the completion address, or answers when it is polled, reports tokens',
  async (t) => {
    process.env.TEST_USAGE_SECRET = 'a secret of the completions';
    t.teardown(() => delete process.env.TEST_USAGE_SECRET);
    const agent = await listen(t, async (request, response) => {
      const url = String(request.headers['pullcord-completion-url'] ?? '');
      await buffer(request);
      if (request.method === 'GET') return response.writeHead(422, headers).end(JSON.stringify({ usage: openai }));
      response.writeHead(202, url === '' ? { location: '/job' } : {}).end();
      if (url !== '') await fetch(url, { method: 'POST', headers, body: JSON.stringify({ usage: openai }) });
    });
    const completion = { secrets: [{ env: 'TEST_USAGE_SECRET' }] };
    const filesOf = (gateway: string) => {
      const trigger = (name: string, detached: object) =>
        triggerFile(name, {
          run: { uses: 'http', with: { url: `${agent}/`, usage: 'usage', detached } },
        });
      return {
        ...basicFiles(),
        'gateway.yaml': gatewayFile({ outbound: { allow: ['127.0.0.1'] } }),
        'triggers/posted.yaml': trigger('posted', { completion: { ...completion, gateway } }),
        'triggers/polled.yaml': trigger('polled', { poll: { interval: '1ms' } }),
      };
    };
    const relay = await listen(t, async (request, response) => {
      const body = await buffer(request);
      const answer = await fetch(`${gateway.url}${request.url}`, { method: 'POST', headers, body });
      response.writeHead(answer.status).end();
    });
    const gateway = await startTestGateway(t, filesOf(relay));
    for (const [trigger, status, state] of [
      ['posted', 200, 'succeeded'],
      ['polled', 502, 'failed'],
    ] as const) {
      const { status: answered, body } = await gateway.fire(trigger, {});
      t.equal(answered, status, trigger);
      const read = await gateway.fire(trigger, undefined, { method: 'GET', path: `/run/${body.runId}` });
      t.match(read.body, { status: state, usage: counted }, trigger);
    }
  },
);

t.test('command: the option usage finds tokens in what a program writes, also if it fails', async (t) => {
  const answer = { reply: 'hi', usage: openai };
  const print = (what: unknown) => `process.stdout.write(${JSON.stringify(JSON.stringify(what))})`;
  const answered = async (script: string, changes: object = { usage: 'usage' }) =>
    (await commandFor(t, [node, '-e', script], changes)).execute();
  t.strictSame(await answered(print(answer)), { kind: 'succeeded', output: answer, usage: counted });
  t.strictSame(await answered(print(answer), {}), { kind: 'succeeded', output: answer });
  t.match(await answered(`${print(answer)}; process.exitCode = 1`), { kind: 'failed', usage: counted });
  t.match(await answered('process.exitCode = 1'), { message: 'agent exited with code 1', usage: undefined });
  t.strictSame(await answered(print({ usage: 'none' })), { kind: 'succeeded', output: { usage: 'none' } });
  const usage =
    '( $m := $match($stderr, /tokens: ([0-9]+) in, ([0-9]+) out/).groups; { "inputTokens": $number($m[0]), "outputTokens": $number($m[1]) } )';
  const script = 'process.stderr.write("tokens: 12 in, 3 out"); process.stdout.write("hi there")';
  t.strictSame(await answered(script, { usage, output: 'text', stream: true }), {
    ...{ kind: 'succeeded', output: 'hi there', usage: { inputTokens: 12, outputTokens: 3 } },
  });
});

t.test('mcp and a2a: the option usage finds tokens in the result of a tool, and in a task', async (t) => {
  const ofTool = '{ "inputTokens": structuredContent.sum, "outputTokens": 0 }';
  t.match(await callTool(t, { argv, usage: ofTool }), { output: { sum: 3 }, usage: { inputTokens: 3 } });
  const usage = 'metadata.usage';
  const states = { COMPLETED: 'succeeded', INPUT_REQUIRED: 'input_required', FAILED: 'failed' } as const;
  for (const [state, kind] of Object.entries(states)) {
    const task = taskIn(state, { metadata: { usage: openai } });
    const { url } = await agentThat(t, (call, response) => reply(response, 200, rpcResult(call, { task })), cardOf());
    t.match((await a2aFor(t, url, { usage }).say('hello')).result, { kind, usage: counted }, state);
    t.match((await a2aFor(t, url).say('hello')).result, { kind, usage: undefined }, state);
  }
});

t.test('a budget counts what an agent by HTTP reports, and runs of all states have a cost', async (t) => {
  const url = await answering(t);
  const run = {
    uses: 'http',
    with: { url, usage: '$merge([usage, { "model": "m" }])' },
    retry: { attempts: 2, backoff: '10ms' },
  };
  const prices = { version: 1, kind: 'Prices', currency: 'EUR', default: { input: 1, output: 1 }, models: [] };
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ outbound: { allow: ['127.0.0.1'] } }),
    'prices.yaml': JSON.stringify(prices),
    'triggers/ask.yaml': triggerFile('ask', { run, limits: [{ tokens: '1000/1d' }] }),
    'triggers/follow.yaml': triggerFile('follow', { run, respond: { uses: 'stream' } }),
  });
  const answer = { usage: openai };
  t.equal((await gateway.fire('ask', { answer })).status, 200);
  t.equal((await gateway.fire('ask', { status: 503, answer })).status, 502, 'of both attempts');
  const { limits } = Object(await (await fetch(`${gateway.adminUrl}/limits`)).json());
  t.match(limits, [{ counters: [{ used: 3 * 140, reserved: 0 }] }]);

  const { text } = await gateway.fire('follow', { answer });
  const done = /event: done\ndata: (.*)/.exec(text ?? '')?.[1] ?? '{}';
  t.match(JSON.parse(done), { usage: { ...counted, model: 'm' }, cost: { amount: 0.00014, currency: 'EUR' } });
});

const http1 = (more: object = {}) => ({ run: { uses: 'http', with: { url: 'https://agents.example.com/', ...more } } });

t.test('validate warns of a limit that counts nothing, since the agent reports no tokens', async (t) => {
  const budget = [{ tokens: '1000/1d' }];
  const validated = async (files: Record<string, string>) => {
    const folder = await configFolder(t, {
      ...basicFiles(),
      'triggers/refund.yaml': triggerFile('refund', http1({ usage: 'usage' })),
      ...files,
    });
    const { stdout, code } = await command(t, ['validate', '--config', folder, '--format', 'json']);
    t.equal(code, 0, stdout);
    const { problems } = JSON.parse(stdout) as { problems: { code: string; message: string; severity: string }[] };
    return problems.filter(({ code }) => code === 'unmetered_runs');
  };
  const trigger = (members: object) => ({ 'triggers/ask.yaml': triggerFile('ask', members) });
  const [found, ...others] = await validated(trigger({ ...http1(), limits: budget }));
  t.strictSame(others, []);
  t.match(found, {
    ...{ severity: 'warning', file: /ask\.yaml/ },
    message: /the limit 1000 tokens\/1d counts nothing for this trigger unless it declares `estimate`.*http/,
  });
  for (const members of [
    { ...http1({ usage: 'usage' }), limits: budget },
    { ...http1(), limits: [{ tokens: '1000/1d', estimate: 10 }] },
    { ...http1(), limits: [{ tokens: '1000/1d', mode: 'shadow' }] },
    { ...http1(), limits: [{ runs: '1000/1d' }] },
    { run: { uses: 'openai', with: { model: 'm', baseUrl: 'https://api.example.com/v1' } }, limits: budget },
    http1(),
  ]) {
    t.strictSame(await validated(trigger(members)), [], JSON.stringify(members));
  }
  t.equal((await validated(trigger({ run: { uses: 'command', with: { argv: [node] } }, limits: budget }))).length, 1);
  t.equal((await validated(trigger({ run: { uses: 'echo' }, limits: budget }))).length, 1);
  const above = {
    'gateway.yaml': gatewayFile({ limits: budget }),
    'project.yaml': projectFile('support', { limits: budget }),
    'keys/website.yaml': keyFile('website', { limits: budget }),
  };
  t.match(await validated({ ...trigger(http1()), ...above }), [
    { message: /for support\/ask unless/ },
    { message: /for support\/ask unless/ },
    { message: /for support\/ask unless/ },
  ]);
  t.strictSame(await validated({ ...trigger(http1({ usage: 'usage' })), ...above }), []);
});
