import t, { type Test } from 'tap';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

const filter = { name: 'pros only', uses: 'jsonata', with: { expression: 'plan = "pro"' } };
const pro = { plan: 'pro', text: 'Grüß "Gott"' };
const free = { plan: 'free' };

function trigger(uses: string, options: object, more: object = {}): Record<string, string> {
  const respond = { uses, with: options };
  return { ...basicFiles(), 'triggers/ask.yaml': triggerFile('ask', { filter, dedup: 'body', ...more, respond }) };
}

const gateway = (t: Test, ...args: Parameters<typeof trigger>) => startTestGateway(t, trigger(...args));
const slow = { run: { uses: 'echo', with: { delay: '1h' } } };
const typeOf = ({ headers }: { headers: Headers }) => headers.get('content-type');

t.test('respond accepted answers with the status of accepted, and names the run in Location', async (t) => {
  for (const status of [200, 202] as const) {
    const { fire } = await gateway(t, 'accepted', { accepted: { status } }, slow);
    const answer = await fire('ask', pro);
    t.match(answer, { status, body: { runId: String, status: /^(queued|running)$/, statusUrl: String } });
    t.equal(answer.headers.get('location'), answer.body.statusUrl);
    t.equal(answer.headers.get('retry-after'), status === 202 ? '5' : null);
  }
  const { fire } = await gateway(t, 'accepted', { accepted: { status: 204 } }, slow);
  const answer = await fire('ask', pro);
  t.match([answer.status, answer.text], [204, '']);
  t.match(answer.headers.get('location'), /\/run\/[0-9a-f-]{36}$/);
});

t.test('respond wait answers as accepted says while the run is under way, and 408 without it', async (t) => {
  const granted = await gateway(t, 'wait', { timeout: '10ms', accepted: { status: 200, body: '"On it"' } }, slow);
  const answer = await granted.fire('ask', pro);
  t.match([answer.status, answer.text, typeOf(answer)], [200, 'On it', 'text/plain; charset=utf-8']);
  const respondAsync = { headers: { prefer: 'respond-async' } };
  const preferred = await granted.fire('ask', { ...pro, n: 1 }, respondAsync);
  t.match([preferred.status, preferred.headers.get('preference-applied')], [200, 'respond-async']);
  const plain = await gateway(t, 'wait', { timeout: '10ms', body: 'output' }, slow);
  t.match(await plain.fire('ask', pro), { status: 408, body: { code: 'wait_timeout' } });
  t.match(await plain.fire('ask', { ...pro, n: 1 }, respondAsync), { status: 202, body: { runId: String } });
});

t.test('body replaces the answer: JSON for an object, text/plain for a text', async (t) => {
  const slack = { response_type: 'ephemeral', text: `On it: ${pro.text}` };
  const written = {
    'as JSONata': '{ "response_type": "ephemeral", "text": "On it: " & $input.text }',
    'as JSON with a template': '{"response_type":"ephemeral","text":"On it: {{ $input.text }}"}',
    'as YAML with a template': { response_type: 'ephemeral', text: 'On it: {{ $input.text }}' },
  };
  for (const [how, body] of Object.entries(written)) {
    const { fire } = await gateway(t, 'accepted', { accepted: { status: 200 }, body });
    const answer = await fire('ask', pro);
    t.match([answer.status, typeOf(answer)], [200, 'application/json; charset=utf-8'], how);
    t.strictSame(answer.body, slack, how);
  }
  const text = await gateway(t, 'wait', { body: 'Done: {{ output.text }} ({{ status }})' });
  const answer = await text.fire('ask', pro);
  t.match([answer.status, typeOf(answer)], [200, 'text/plain; charset=utf-8']);
  t.equal(answer.text, `Done: ${pro.text} (succeeded)`);
  const teams = await gateway(t, 'wait', { body: '{ "type": "message", "text": output.text }' });
  t.strictSame((await teams.fire('ask', pro)).body, { type: 'message', text: pro.text });
});

t.test('a body reads the outcome, the request, its caller and its event', async (t) => {
  const body = `{ "run": runId, "url": statusUrl, "session": sessionId, "method": $request.method,
    "language": $request.headers.\`accept-language\`, "caller": $caller.id, "event": $event,
    "project": $project.id, "trigger": $trigger.key }`;
  const { fire } = await gateway(t, 'wait', { body, headers: ['accept-language'] });
  const answer = await fire('ask', { ...pro, sessionId: 's-1' }, { headers: { 'accept-language': 'de' } });
  t.match(answer.body, {
    run: /^[0-9a-f-]{36}$/,
    url: /\/run\//,
    ...{ session: 's-1', method: 'POST', language: 'de', caller: 'website', event: {}, trigger: 'ask' },
  });
});

t.test('a body reads the session that body.session finds, never a member of a foreign sender', async (t) => {
  const respond = { body: '{ "session": sessionId ? sessionId : "none" }' };
  const found = await gateway(t, 'wait', respond, { body: { fields: 'free', session: 'thread' } });
  const foreign = { ...pro, sessionId: 'theirs' };
  t.strictSame((await found.fire('ask', { ...foreign, thread: 't-1' })).body, { session: 't-1' });
  const none = await gateway(t, 'wait', respond, { body: { fields: 'free' } });
  t.strictSame((await none.fire('ask', foreign)).body, { session: 'none' });
});

t.test('dropped and duplicate requests get a body of their own', async (t) => {
  const { fire } = await gateway(t, 'wait', {
    dropped: { status: 200, body: '{ "text": "Ignored by " & filter }' },
    duplicate: { body: { text: 'Already on it: {{ runId }}' } },
  });
  t.match(await fire('ask', free), { status: 200, body: { text: 'Ignored by pros only' } });
  const { runId } = (await fire('ask', pro)).body;
  t.match(await fire('ask', pro), { status: 200, body: { text: `Already on it: ${runId}` } });
});

t.test('respond with duplicate: first repeats the body of the first answer', async (t) => {
  const { fire } = await gateway(t, 'wait', { duplicate: 'first', body: '{ "text": output.text, "id": runId }' });
  const first = await fire('ask', pro);
  t.match(first.body, { text: pro.text });
  t.strictSame((await fire('ask', pro)).body, first.body);
});

t.test('a body that fails, or is nothing, never turns an accepted request into an error', async (t) => {
  const many = '($f := function($n) { $n <= 1 ? 1 : $f($n - 1) + $f($n - 2) }; $f(60))';
  for (const body of ['$number(output.text)', 'output.missing', 'Hi {{ $number(output.text) }}', many]) {
    const { fire, log } = await gateway(t, 'wait', { body });
    const answer = await fire('ask', pro);
    t.match(answer, { status: 200, body: { runId: String, status: 'succeeded', output: pro } }, body);
    const logged = log.filter(({ message }) => message.startsWith('the body of an answer'));
    t.match(logged, [{ level: 'warn', fields: { pointer: '/body', requestId: String } }], body);
    t.notMatch(JSON.stringify(logged), 'Gott', 'the log has no values');
  }
});

t.test('a failed run is answered as a problem, whatever body says', async (t) => {
  const run = { uses: 'command', with: { argv: [process.execPath, '-e', 'process.exit(3)'] } };
  const { fire } = await gateway(t, 'wait', { body: '"fine"' }, { run });
  const answer = await fire('ask', pro);
  t.match(answer, { status: 502, body: { code: 'run_failed' } });
  t.match(typeOf(answer), /^application\/problem\+json/);
});

t.test('a trigger inherits the body from the defaults', async (t) => {
  const respond = { uses: 'accepted', with: { accepted: { status: 200 }, body: '{ "text": "On it" }' } };
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ defaults: { auth: { uses: 'api-key' }, respond } }),
    'triggers/ask.yaml': triggerFile('ask', {}),
  });
  t.match(await fire('ask', pro), { status: 200, body: { text: 'On it' } });
});
