import { createParser, type EventSourceMessage } from 'eventsource-parser';
import t from 'tap';
import { adminToken } from '../support/admin.ts';
import { basicFiles, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import { type Answer, answerOf } from '../support/send.ts';
import { until } from '../support/until.ts';
import { validates } from '../support/validates.ts';

const ops = adminToken('ops', 'operate');
const watcher = adminToken('watcher', 'read');

function files(triggers: Record<string, object>, members: object = {}): Record<string, string> {
  const entries = Object.entries(triggers).map(([key, trigger]) => [`${key}.yaml`, triggerFile(key, trigger)]);
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ admin: { port: 0, tokens: [ops.declared, watcher.declared] }, ...members }),
    ...Object.fromEntries(entries),
  };
}

interface Asking {
  readonly secret?: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

function request(
  { adminUrl }: Pick<TestGateway, 'adminUrl'>,
  path: string,
  { secret = ops.secret, method = 'GET', body, headers = {} }: Asking = {},
  signal?: AbortSignal,
): Promise<Response> {
  const sent = { 'content-type': 'application/json', authorization: `Bearer ${secret}`, ...headers };
  return fetch(`${adminUrl}${path}`, {
    method,
    headers: sent,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}

async function ask(gateway: Pick<TestGateway, 'adminUrl'>, path: string, asking?: Asking): Promise<Answer> {
  return answerOf(await request(gateway, path, asking));
}

const replay = (gateway: TestGateway, id: string, body?: unknown, asking: Asking = {}) =>
  ask(gateway, `/runs/${id}/replay`, { method: 'POST', body, ...asking });

function ended(gateway: TestGateway, id: string) {
  return until(async () => {
    const { body } = await ask(gateway, `/runs/${id}`);
    return ['succeeded', 'failed', 'cancelled'].includes(body.state) ? body : undefined;
  });
}

/** An agent that says what it is told to, until it is told that it is done. */
const talker = `
export default {
  contract: 'v1', stage: 'run', name: 'talker', summary: 'Streams what the test passes to it.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create() {
    return {
      execute() {
        let wake = () => {};
        const said = [];
        (globalThis.adminTalkers ??= []).push({ say: (text) => { said.push(text); wake(); } });
        async function* events() {
          for (;;) {
            while (said.length > 0) {
              const text = said.shift();
              if (text === null) return { kind: 'succeeded', output: 'all said' };
              yield { kind: 'delta', text };
            }
            await new Promise((resolve) => { wake = resolve; });
          }
        }
        return { kind: 'stream', events: events() };
      },
    };
  },
};
`;

function talking(): Record<string, string> {
  const talk = { run: { uses: 'talker' }, respond: { uses: 'accepted' } };
  return { ...files({ talk }, { plugins: ['./talker.mjs'] }), 'talker.mjs': talker };
}

interface Talker {
  say(text: string | null): void;
}

/** The agent of the run that is started next. */
function nextTalker(): () => Promise<Talker> {
  const talkers = (): Talker[] => Reflect.get(globalThis, 'adminTalkers') ?? [];
  const { length } = talkers();
  return () => until(() => talkers()[length]);
}

/** The events of a stream, as they arrive. */
async function* eventsOf(response: Response): AsyncGenerator<EventSourceMessage> {
  const arrived: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => arrived.push(event) });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* arrived.splice(0);
  }
}

async function namesOf(events: AsyncIterable<EventSourceMessage>): Promise<readonly (string | undefined)[]> {
  const names = [];
  for await (const { event } of events) names.push(event);
  return names;
}

for (const engine of [{ uses: 'memory' }, { uses: 'sqlite' }]) {
  t.test(`a run says how far its callback is, and what failed before (${engine.uses})`, async (t) => {
    process.env.PULLCORD_TEST_CALLBACK = `whsec_${Buffer.alloc(32).toString('base64')}`;
    const statuses = [500, 200];
    const url = await listen(t, (request, response) => {
      request.resume();
      response.writeHead(statuses.shift() ?? 200).end();
    });
    const flaky = 'test -e done || { touch done; exit 75; }; echo fine';
    const gateway = await startTestGateway(
      t,
      files(
        {
          flaky: {
            run: { uses: 'command', with: { argv: ['sh', '-c', flaky] }, retry: { attempts: 2, backoff: '10ms' } },
            callback: { url, secret: { env: 'PULLCORD_TEST_CALLBACK' } },
          },
          echo: {},
        },
        { engine },
      ),
    );
    const { runId } = (await gateway.fire('echo')).body;
    const plain = (await ask(gateway, `/runs/${runId}`)).body;
    t.notOk('callback' in plain || 'hasCheckpoint' in plain);
    validates(t, 'run', plain);
    const fired = await gateway.fire('flaky', { instruction: 'hello' });
    const run = await until(async () => {
      const { body } = await ask(gateway, `/runs/${fired.body.runId}`, { secret: watcher.secret });
      return body.callback?.attempts > 0 ? body : undefined;
    });
    t.match(run.callback, { state: 'due', attempts: 1, nextAt: /^\d{4}-/ });
    validates(t, 'run', run);
    for (const listed of (await ask(gateway, '/runs')).body.runs) validates(t, 'run', listed);
  });
}

t.test('runs are counted by the filters of the list, by state, and a wrong filter is refused', async (t) => {
  const failing = { run: { uses: 'command', with: { argv: ['sh', '-c', 'exit 3'] } } };
  const gateway = await startTestGateway(t, files({ echo: {}, failing }));
  for (const key of ['echo', 'echo', 'failing']) await gateway.fire(key);
  const count = (query = '', asking?: Asking) => ask(gateway, `/runs/count${query}`, asking);
  const all = await count('', { secret: watcher.secret });
  t.strictSame(all.body, { count: 3, more: false, states: { succeeded: 2, failed: 1 } });
  validates(t, 'run-count', all.body);
  t.equal((await count('?state=failed')).body.count, 1);
  t.equal((await count('?trigger=echo&newerThan=1h')).body.count, 2);
  t.equal((await count(`?where=${encodeURIComponent('state = failed and error ~ "exit"')}`)).body.count, 1);
  t.equal((await count('?olderThan=1h')).body.count, 0);
  for (const query of [
    '?limit=1',
    '?stat=failed',
    '?state=broken',
    '?state=failed&state=queued',
    '?where=state%20%3D',
  ]) {
    t.match(await count(query), { status: 400, body: { code: 'bad_request', detail: String } }, query);
  }
});

t.test('a run is replayed with an edited input, which is audited and can be seen', async (t) => {
  const gateway = await startTestGateway(t, files({ echo: {} }));
  const { runId } = (await gateway.fire('echo', { instruction: 'first', sessionId: 'chat-1' })).body;
  const replayed = await replay(gateway, runId, { body: { instruction: 'second', sessionId: 'chat-1', more: [1] } });
  t.match(replayed, { status: 202, body: { replayOf: runId, sessionId: 'chat-1' } });
  const run = await ended(gateway, replayed.body.runId);
  t.match(run.output, { instruction: 'second', more: [1], environment: 'api' });
  t.equal(run.origin.isEdited, true);
  validates(t, 'run', run);
  const [entry] = (await ask(gateway, '/audit')).body.entries;
  t.match(entry, {
    ...{ actor: 'ops', action: 'runs.replay', target: runId, outcome: 'succeeded' },
    after: { runId: run.runId, isEdited: true },
  });
  t.notMatch(JSON.stringify(entry), /second/);

  const plain = await replay(gateway, runId);
  t.equal(plain.status, 202);
  const same = await ended(gateway, plain.body.runId);
  t.match(same, { output: { instruction: 'first' }, replayOf: runId });
  t.notOk('isEdited' in same.origin);
});

t.test('an edited input is checked as the body of a request is', async (t) => {
  const gateway = await startTestGateway(t, files({ echo: {}, free: { body: { fields: 'free' } } }));
  const { runId } = (await gateway.fire('echo', { instruction: 'first' })).body;
  t.match(await replay(gateway, runId, { body: { instruction: 7 } }), {
    status: 400,
    body: { code: 'invalid_body', errors: [{ pointer: '/instruction' }] },
  });
  t.match(await replay(gateway, runId, { body: '{"instruction": "a",' }), {
    status: 400,
    body: { code: 'invalid_body' },
  });
  for (const body of [[], 'text', { body: 7 }, { body: null }, { body: [] }, { body: {}, other: 1 }, { bodies: {} }]) {
    t.match(await replay(gateway, runId, body), { status: 400, body: { code: 'bad_request' } }, JSON.stringify(body));
  }
  const large = { body: { instruction: 'x'.repeat(1_500_000) } };
  t.match(await replay(gateway, runId, large), { status: 413, body: { code: 'body_too_large' } });
  t.equal((await ask(gateway, '/runs/count')).body.count, 1, 'nothing was started');
  t.match((await ask(gateway, '/audit')).body.entries.slice(0, 1), [
    { outcome: 'failed', reason: 'body_too_large', after: { isEdited: true } },
  ]);

  const { runId: free } = (await gateway.fire('free', { order: 1 })).body;
  const exact = await replay(gateway, free, { body: '{"order": 12345678901234567890}' });
  t.match((await ended(gateway, exact.body.runId)).origin, { isEdited: true, body: { text: /12345678901234567890/ } });
});

t.test('an edited replay with once is the only one', async (t) => {
  const gateway = await startTestGateway(t, files({ echo: {} }));
  const { runId } = (await gateway.fire('echo', { instruction: 'first' })).body;
  const once = () =>
    ask(gateway, `/runs/${runId}/replay?once=true`, { method: 'POST', body: { body: { instruction: 'second' } } });
  const first = await once();
  t.equal(first.status, 202);
  t.match(await once(), { status: 200, body: { alreadyReplayedAs: first.body.runId } });
  t.equal((await ask(gateway, `/runs/${runId}`)).body.replayedAs, first.body.runId);
  t.equal((await ask(gateway, `/runs/${first.body.runId}`)).body.isOnlyReplay, true);
});

t.test('a run whose input was masked or not kept is not replayed edited, nor by the role read', async (t) => {
  const gateway = await startTestGateway(
    t,
    files({
      masked: { record: { mask: ['/customer/email'] } },
      brief: { record: 'metadata' },
    }),
  );
  for (const key of ['masked', 'brief']) {
    const { runId } = (await gateway.fire(key, { customer: { email: 'ada@example.org' } })).body;
    const refused = await replay(gateway, runId, { body: { instruction: 'second' } });
    t.match(refused, { status: 409, body: { code: 'not_replayable', detail: /masked/ } }, key);
    const forbidden = await replay(gateway, runId, { body: {} }, { secret: watcher.secret });
    t.match(forbidden, { status: 403, body: { code: 'forbidden', role: 'operate' } });
  }
  const unknown = await replay(gateway, '0190f3c2-7a1e-7000-8000-1d2c3b4a5f60', { body: {} });
  t.equal(unknown.body.code, 'run_not_found');
});

t.test('an operator follows a run while it runs, and resumes where the connection broke', async (t) => {
  const gateway = await startTestGateway(t, talking());
  const started = nextTalker();
  const { runId } = (await gateway.fire('talk', { instruction: 'hello' })).body;
  const agent = await started();
  const cut = new AbortController();
  const response = await request(gateway, `/runs/${runId}/deltas`, { secret: watcher.secret }, cut.signal);
  t.equal(response.status, 200);
  t.match(response.headers.get('content-type'), /^text\/event-stream/);
  t.match(response.headers.get('cache-control'), /no-store/);
  const events = eventsOf(response);
  const accepted = (await events.next()).value;
  t.match(JSON.parse(accepted?.data ?? ''), { runId, statusUrl: `/runs/${runId}` });
  agent.say('one ');
  const first = (await events.next()).value;
  t.match(JSON.parse(first?.data ?? ''), { attempt: 1, offset: 0, text: 'one ' });
  cut.abort();
  await events.next().catch(() => undefined);

  agent.say('two');
  const resumed = await request(gateway, `/runs/${runId}/deltas`, { headers: { 'last-event-id': first?.id ?? '' } });
  const rest = eventsOf(resumed);
  await rest.next();
  t.match(JSON.parse((await rest.next()).value?.data ?? ''), { attempt: 1, offset: 4, text: 'two' });
  agent.say(null);
  t.match(JSON.parse((await rest.next()).value?.data ?? ''), { status: 'succeeded', output: 'all said' });
  const done = (await rest.next()).value;
  t.equal(done?.event, 'done');
  t.equal((await rest.next()).done, true);

  t.strictSame(await namesOf(eventsOf(await request(gateway, `/runs/${runId}/deltas`))), [
    'accepted',
    'message',
    'done',
  ]);
  const over = await request(gateway, `/runs/${runId}/deltas`, { headers: { 'last-event-id': done?.id ?? '' } });
  t.equal(over.status, 204, 'by the standard, nobody reconnects');
});

t.test('a stream of a run is refused where there is none, and where its output is not kept', async (t) => {
  const slow = { run: { uses: 'echo', with: { delay: '1h' } }, respond: { uses: 'accepted' }, record: 'metadata' };
  const gateway = await startTestGateway(t, files({ slow }));
  const { runId } = (await gateway.fire('slow')).body;
  t.match(await ask(gateway, `/runs/${runId}/deltas`), { status: 403, body: { code: 'forbidden', detail: /record/ } });
  t.match(await ask(gateway, '/runs/unknown/deltas'), { status: 404, body: { code: 'run_not_found' } });
  t.match(await ask(gateway, `/runs/${runId}/deltas?from=1`), { status: 400, body: { code: 'bad_request' } });
  const anonymous = await fetch(`${gateway.adminUrl}/runs/${runId}/deltas`);
  t.equal(anonymous.status, 401);
});

t.test('a stream ends when its token is revoked', async (t) => {
  const gateway = await startTestGateway(t, talking());
  const started = nextTalker();
  const { runId } = (await gateway.fire('talk')).body;
  const agent = await started();
  const events = eventsOf(await request(gateway, `/runs/${runId}/deltas`, { secret: watcher.secret }));
  await events.next();
  const left = gatewayFile({ admin: { port: 0, tokens: [ops.declared] }, plugins: ['./talker.mjs'] });
  await writeInto(gateway.root, 'gateway.yaml', left);
  await until(async () => (await ask(gateway, '/runs', { secret: watcher.secret })).status === 401);
  // Whatever the agent says from then on, the reader has it for a second at most.
  const talk = setInterval(() => agent.say('more '), 50);
  t.teardown(() => clearInterval(talk));
  const names = new Set(await namesOf(events));
  t.notOk(names.has('done') || names.has('message'));
});
