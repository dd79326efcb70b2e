import t from 'tap';
import { DifyServer } from '../../support/dify-server.ts';
import { pluginFor, run, sessionWith, userOf } from './support.ts';

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
