import t from 'tap';
import type { Options } from '../../../plugins/run/dify/options.gen.ts';
import type { JsonObject } from '../../../src/contract/index.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile } from '../../support/config-folder.ts';
import { DifyServer } from '../../support/dify-server.ts';
import { serveFolder } from '../../support/gateway.ts';
import { pluginFor, run, sessionWith } from './support.ts';

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
      usage: { inputTokens: 40, outputTokens: 2, model: 'gpt-5-mini' },
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
    server.script = (stream) => {
      stream.send({ event: 'message', answer: 'the end' });
      stream.send({ event: 'message_end' });
    };
    t.match(await pluginFor(t, url).execute(), { result: { kind: 'succeeded', output: 'the end' } });
  });

  t.test('fails the run if it says nothing, or something that is not understood', async (t) => {
    t.teardown(() => (server.script = undefined));
    const resultOf = async (event: JsonObject, changes: Partial<Options> = {}) => {
      server.script = (stream) => {
        stream.send(event);
        stream.send({ event: 'message_end', metadata: { usage: { prompt_tokens: 1, completion_tokens: 2 } } });
      };
      return (await pluginFor(t, url, changes).execute()).result;
    };
    const used = { usage: { inputTokens: 1, outputTokens: 2 }, retryable: false };
    const nothing = await resultOf({ event: 'brand_new', text: 'Hello' });
    t.match(nothing, { kind: 'failed', message: 'the app answered with no text', ...used });
    const foreign = await resultOf({ event: 'message', answer: [{ type: 'text', text: 'Hello' }] });
    t.match(foreign, { kind: 'failed', message: 'the app answered with something that is not text', ...used });
    const mapped = await resultOf({ event: 'ping' }, { output: 'metadata.usage.prompt_tokens' });
    t.match(mapped, { kind: 'succeeded', output: 1 });
    server.script = (stream) => stream.send({ event: 'workflow_finished', data: { status: 'succeeded' } });
    const { result } = await pluginFor(t, url, { app: 'workflow', apiKey: 'app-workflow' }).execute();
    t.match(result, { kind: 'failed', message: 'the workflow finished without outputs' });
  });
});
