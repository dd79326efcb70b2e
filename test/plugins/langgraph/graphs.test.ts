import type { IncomingMessage } from 'node:http';
import t, { type Test } from 'tap';
import type { JsonObject } from '../../../src/contract/index.ts';
import { basicFiles, durable, gatewayFile, secrets, triggerFile } from '../../support/config-folder.ts';
import { serveFolder, startTestGateway } from '../../support/gateway.ts';
import { startLangGraphServer } from '../../support/langgraph-server.ts';
import { listen } from '../../support/listen.ts';
import { until } from '../../support/until.ts';

/** The server takes half a second to end an answer, so tests wait side by side. */
t.jobs = 30;
const apart = () => ({ buffered: true });

const server = await startLangGraphServer(t);

/** For each trigger a second one, `-waited`, that does not stream. Its key is the graph, unless it names an assistant. */
function filesWith(
  triggers: Record<string, object>,
  { run = {}, ...members }: { run?: object; respond?: object } = {},
) {
  const entries = Object.entries(triggers).flatMap(([key, options]) => {
    const file = (name: string, more: object) => {
      const uses = { uses: 'langgraph', with: { url: server, assistant: key, ...options, ...more } };
      return [`${name}.yaml`, triggerFile(name, { run: { ...uses, ...run }, ...members })];
    };
    return [file(key, {}), file(`${key}-waited`, { stream: false })];
  });
  const gateway = gatewayFile({ engine: durable, outbound: { allow: ['127.0.0.1'] } });
  return { ...basicFiles(), 'gateway.yaml': gateway, ...Object.fromEntries(entries) };
}

const { fire, url } = await startTestGateway(t, {
  ...filesWith({
    ...{ echo: {}, asking: {}, broken: {}, fetching: {}, doubting: {} },
    deciding: { assistant: 'doubting', resume: '$merge(answers.{ id: value })' },
    showing: { config: { configurable: { language: 'fr' } }, context: "{ 'plan': customer.plan }" },
    shaped: {
      assistant: 'echo',
      input: "{ 'messages': [{ 'role': 'user', 'content': 'order ' & order.id }] }",
      output: "{ 'text': messages[-1].content, 'session': $run.sessionId, 'by': $input.by }",
    },
  }),
  ...filesWith({ nobody: {} }, { run: { retry: { attempts: 3 } } }),
  ...filesWith(
    { 'told-echo': { assistant: 'echo' }, 'told-fetching': { assistant: 'fetching' } },
    { respond: { uses: 'stream' } },
  ),
});

/** The same promise of a trigger that streams and of one that waits. */
const bothOf = <T>(key: string, check: (key: string) => Promise<T>) =>
  Promise.all([check(key), check(`${key}-waited`)]);

/** A page that a graph fetches, and that is held back until it is released. `isLetGo` when the graph stops waiting. */
async function heldPage(t: Test) {
  const requests: IncomingMessage[] = [];
  const requested = Promise.withResolvers<void>();
  const isReleased = Promise.withResolvers<void>();
  const isLetGo = Promise.withResolvers<void>();
  const url = await listen(t, async (request, response) => {
    requests.push(request);
    requested.resolve();
    response.once('close', () => !response.writableEnded && isLetGo.resolve());
    await isReleased.promise;
    response.end('done');
  });
  return { url, requests, requested: requested.promise, isLetGo: isLetGo.promise, release: isReleased.resolve };
}

const later = { headers: { prefer: 'respond-async' } };

t.test('a conversation continues after a restart of the gateway', apart(), async (t) => {
  const first = await startTestGateway(t, filesWith({ echo: {} }));
  const say = (instruction: string) => ({ instruction, sessionId: 'restarted' });
  await bothOf('echo', async (key) => {
    t.match((await first.fire(key, say('one'))).body, { status: 'succeeded', output: 'turn 1: one' });
    t.match((await first.fire(key, say('two'))).body, { output: 'turn 2: one, two' });
  });
  await first.gateway.close();
  const second = await serveFolder(t, first.root);
  await bothOf('echo', async (key) => {
    t.match((await second.fire(key, say('three'))).body, { output: 'turn 3: one, two, three' });
  });
});

t.test(
  'a conversation is unknown to another sessionId, to another trigger and without a sessionId',
  apart(),
  async (t) => {
    await fire('echo', { instruction: 'one', sessionId: 'apart' });
    const answers = await Promise.all([
      fire('echo', { instruction: 'two', sessionId: 'apart' }),
      fire('echo', { instruction: 'two', sessionId: 'apart ' }),
      fire('echo-waited', { instruction: 'two', sessionId: 'apart' }),
      fire('echo', { instruction: 'two' }),
      fire('echo-waited', { instruction: 'two' }),
    ]);
    const outputs = answers.map(({ body }) => body.output);
    t.strictSame(outputs, ['turn 2: one, two', 'turn 1: two', 'turn 1: two', 'turn 1: two', 'turn 1: two']);
  },
);

t.test('a run continues on the server while the gateway restarts, and is not begun again', apart(), async (t) => {
  const first = await startTestGateway(t, filesWith({ fetching: {} }));
  const begun = await bothOf('fetching', async (key) => {
    const page = await heldPage(t);
    const { body } = await first.fire(key, { instruction: page.url, sessionId: 'stopped' }, later);
    await page.requested;
    return { key, page, path: `/run/${body.runId}` };
  });
  await first.gateway.close();
  const second = await serveFolder(t, first.root);
  for (const { key, page, path } of begun) {
    const read = async () => (await second.fire(key, undefined, { method: 'GET', path })).body;
    await until(async () => (await read()).status === 'running');
    page.release();
    const ended = await until(async () => [await read()].find(({ status }) => status !== 'running'));
    t.match(ended, { status: 'succeeded', output: 'done (turn 1)' });
    t.equal(page.requests.length, 1, 'the work was neither stopped nor done twice');
  }
});

t.test('a run that is cancelled is cancelled on the server', apart(), async (t) => {
  await bothOf('fetching', async (key) => {
    const page = await heldPage(t);
    const { body } = await fire(key, { instruction: page.url, sessionId: 'cancelled' }, later);
    await page.requested;
    await fire(key, undefined, { method: 'DELETE', path: `/run/${body.runId}` });
    await page.isLetGo;
    const { body: run } = await fire(key, undefined, { method: 'GET', path: `/run/${body.runId}` });
    t.equal(run.status, 'cancelled');
  });
});

/** The answer of a trigger that streams, as it arrives: each time the whole text so far. */
async function* streamed(key: string, body: JsonObject): AsyncGenerator<string> {
  const response = await fetch(`${url}/api/v1.0/project/support/trigger/${key}`, {
    method: 'POST',
    headers: { 'x-api-key': secrets.website, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    yield text;
  }
}

function deltasIn(text: string): string[] {
  return [...text.matchAll(/event: delta\ndata: (.*)/g)].map(([, data = '']) => JSON.parse(data).text);
}

t.test('AI messages are streamed before the run ends', apart(), async (t) => {
  const page = await heldPage(t);
  let text = '';
  for await (text of streamed('told-fetching', { instruction: page.url, sessionId: 'told' })) {
    if (deltasIn(text)[0] === 'One moment.') page.release();
  }
  t.strictSame(deltasIn(text), ['One moment.', '\n\ndone (turn 1)']);
  t.match(text, /event: message\ndata: .*"output":"done \(turn 1\)"/);
});

t.test('the deltas of a model that streams make up the output', apart(), async (t) => {
  let text = '';
  for await (text of streamed('told-echo', { instruction: 'süß' }));
  const deltas = deltasIn(text);
  t.ok(deltas.length > 1);
  t.equal(deltas.join(''), 'turn 1: süß');
  t.match(text, /event: message\ndata: .*"output":"turn 1: süß"/);
});

t.test('an error of the graph is a failure with its name alone', apart(), async (t) => {
  const cases = [
    ['broken', { sessionId: 's' }, 'the graph failed (RangeError)'],
    ['broken', {}, 'the graph failed (RangeError)'],
    // The server wraps it.
    ['broken-waited', { sessionId: 's' }, 'the graph failed (Error)'],
    ['broken-waited', {}, 'the graph failed (Error)'],
  ] as const;
  const checks = cases.map(async ([key, more, detail]) => {
    const { status, text, body } = await fire(key, { instruction: 'hi', ...more });
    t.equal(status, 502);
    t.equal(body.detail, detail);
    t.notMatch(text, /s3cret/);
  });
  await Promise.all(checks);
});

t.test('an interrupt is a question, which the next request of its session answers', apart(), async (t) => {
  await bothOf('asking', async (key) => {
    const say = (instruction: string, sessionId: string) => fire(key, { instruction, sessionId });
    const asked = await Promise.all([say('refund me', 'asked'), say('me too', 'not answered')]);
    for (const { body } of asked) t.match(body, { status: 'input_required', output: { question: 'which order?' } });
    t.match((await say('order 7', 'asked')).body, { status: 'succeeded', output: 'refunded "order 7"' });
    t.match(
      (await say('once more', 'asked')).body,
      { status: 'input_required' },
      'an answered question is asked again',
    );
  });
});

t.test('a question is remembered after a restart of the gateway', apart(), async (t) => {
  const resume = "{ 'order': order, 'asked': $count($interrupts) }";
  const first = await startTestGateway(t, filesWith({ asking: { resume } }));
  t.match((await first.fire('asking', { sessionId: 'remembered', instruction: 'refund me' })).body, {
    status: 'input_required',
  });
  await first.gateway.close();
  const second = await serveFolder(t, first.root);
  const { body } = await second.fire('asking', { sessionId: 'remembered', order: 7 });
  t.match(body, { status: 'succeeded', output: 'refunded {"order":7,"asked":1}' });
});

t.test('several questions have ids, and an expression answers them', apart(), async (t) => {
  const asked = await fire('doubting', { sessionId: 'unsure', instruction: 'decide' });
  t.match(asked.body, { status: 'input_required', output: [{ value: 'first?' }, { value: 'second?' }] });
  const refused = await fire('doubting', { sessionId: 'unsure', instruction: 'yes' });
  t.match(refused.body, { code: 'run_failed', detail: /several questions at once/ });
  const { body } = await fire('deciding', { sessionId: 'sure', instruction: 'decide' });
  const answers = body.output.map(({ id, value }: JsonObject) => ({ id, value: `${value}!` }));
  const some = await fire('deciding', { sessionId: 'sure', answers: answers.slice(1) });
  t.match(some.body, { status: 'input_required', output: 'first?' });
  const all = await fire('deciding', { sessionId: 'sure', answers: answers.slice(0, 1) });
  t.match(all.body, { status: 'succeeded', output: 'second "second?!"' });
});

t.test('options set the input, the configuration and the output', apart(), async (t) => {
  const [showing, shaped, unset] = await Promise.all([
    fire('showing', { customer: { plan: 'pro' } }),
    fire('shaped', { order: { id: 7 }, sessionId: 's', by: 'Ada' }),
    fire('showing', { instruction: 'show' }),
  ]);
  t.strictSame(JSON.parse(showing.body.output), { context: { plan: 'pro' }, language: 'fr' });
  t.strictSame(shaped.body.output, { text: 'turn 1: order 7', session: 's', by: 'Ada' });
  t.strictSame(JSON.parse(unset.body.output), { context: {}, language: 'fr' });
});

t.test('an assistant that does not exist fails the run without a retry', apart(), async (t) => {
  const { body } = await fire('nobody', { sessionId: 's', instruction: 'hi' });
  const detail = 'agent answered 404: there is no such assistant, or no LangGraph server';
  t.match(body, { code: 'run_failed', detail });
  const { body: run } = await fire('nobody', undefined, { method: 'GET', path: `/run/${body.runId}` });
  t.notOk(run.failedAttempts?.length, 'it was tried once');
});
