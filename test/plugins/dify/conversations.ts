import t from 'tap';
import type { JsonValue } from '../../../src/contract/index.ts';
import { basicFiles, configFolder, durable, gatewayFile, triggerFile } from '../../support/config-folder.ts';
import { DifyServer } from '../../support/dify-server.ts';
import { serveFolder } from '../../support/gateway.ts';
import { pluginFor, sessionWith, userOf } from './support.ts';

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

  t.test('reports an error whose message is no text', async (t) => {
    t.teardown(() => (server.refuse = undefined));
    const memory = await remembered();
    const error = { code: 'not_found', message: { toString: 1 }, status: 404 };
    server.refuse = (response) =>
      response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify(error));
    const { result } = await execute({ sessionId: 'ada', session: sessionWith(memory) });
    t.match(result, { kind: 'failed', message: /^agent answered 404 \(not_found\): the conversation is gone/ });
  });

  t.test('are not continued by another app: another key, or another URL', async (t) => {
    const memory = await remembered();
    const { conversationId } = memory as { conversationId: string };
    const before = server.requests.length;
    const session = { sessionId: 'ada', session: sessionWith(memory) };
    await execute(session);
    await pluginFor(t, server.url, { apiKey: 'app-chat' }).execute(session);
    await pluginFor(t, `${server.url}/`, { apiKey: 'app-agent' }).execute(session);
    const [same, ...others] = server.requests.slice(before).map(({ body }) => body.conversation_id);
    t.equal(same, conversationId);
    t.strictSame(others, [undefined, undefined]);
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
