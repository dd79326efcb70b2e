import { once } from 'node:events';
import { connect } from 'node:net';
import { mock } from 'node:test';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import t, { type Test } from 'tap';
import { type AcceptedRun, acceptsEventStream, type RunView } from '../../src/contract/index.ts';
import { eventStream } from '../../src/http/event-stream.ts';
import {
  basicFiles,
  durableFiles,
  gatewayFile,
  keyFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

/** An agent that says each of its words when it is told to, and knows how often it was asked. */
const talker = `
export default {
  contract: 'v1',
  stage: 'run',
  name: 'talker',
  summary: 'Streams what the test passes to it.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create() {
    return {
      execute(run) {
        const { promise, resolve } = Promise.withResolvers();
        const agent = { said: [], wake: () => {}, ended: undefined };
        const agents = (globalThis.talkers ??= []);
        agents.push({
          say(text) { agent.said.push(text); agent.wake(); },
          end(result) { agent.ended = result; agent.wake(); },
        });
        async function* events() {
          for (;;) {
            while (agent.said.length > 0) yield { kind: 'delta', text: agent.said.shift() };
            if (agent.ended !== undefined) return agent.ended;
            await new Promise((wake) => { agent.wake = wake; });
          }
        }
        return { kind: 'stream', events: events() };
      },
    };
  },
};
`;

interface Talker {
  say(text: string): void;
  end(result: object): void;
}

function talkers(): Talker[] {
  return Reflect.get(globalThis, 'talkers') ?? [];
}

/** The agent of a run that is about to be started, `before` having been there. */
function nextTalker(before: number): Promise<Talker> {
  return until(() => talkers()[before]);
}

const respond = { uses: 'stream' };

function files(triggers: Record<string, object>, base = basicFiles(), members: object = {}): Record<string, string> {
  const entries = Object.entries(triggers).map(([key, trigger]) => [`${key}.yaml`, triggerFile(key, trigger)]);
  const gateway = { plugins: ['./talker.mjs'], ...members };
  return { ...base, 'gateway.yaml': gatewayFile(gateway), 'talker.mjs': talker, ...Object.fromEntries(entries) };
}

interface Told {
  readonly event: string | undefined;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
  readonly data: any;
}

/** An event stream as a client reads it. */
class Events {
  readonly response: Response;
  readonly #leaving: AbortController;
  readonly #reader: AsyncIterator<string>;
  readonly #events: EventSourceMessage[] = [];
  readonly comments: string[] = [];
  readonly #parser = createParser({
    onEvent: (event) => void this.#events.push(event),
    onComment: (comment) => void this.comments.push(comment),
  });

  constructor(response: Response, leaving: AbortController) {
    this.response = response;
    this.#leaving = leaving;
    const body: ReadableStream<string> = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream());
    this.#reader = body[Symbol.asyncIterator]();
  }

  /** The first event, and what it says of the run. */
  async accepted(): Promise<{ runId: string; statusUrl: string }> {
    const accepted = await this.next();
    if (accepted?.event !== 'accepted') throw new Error(`no accepted event: ${JSON.stringify(accepted)}`);
    return accepted.data;
  }

  /** The next event, its data parsed; undefined at the end. */
  async next(): Promise<Told | undefined> {
    while (this.#events.length === 0) {
      const chunk = await this.#reader.next();
      if (chunk.done) return undefined;
      this.#parser.feed(chunk.value);
    }
    const { event, id, data } = this.#events.shift() as EventSourceMessage;
    return { event, id, data: JSON.parse(data) };
  }

  async rest() {
    const events = [];
    for (let event = await this.next(); event !== undefined; event = await this.next()) events.push(event);
    return events;
  }

  leave(): void {
    this.#leaving.abort();
  }
}

interface Asked {
  readonly method?: string;
  readonly body?: object;
  readonly accept?: string | null;
  readonly lastEventId?: string | undefined;
  readonly secret?: string;
}

async function ask(t: Test, url: string, asked: Asked = {}): Promise<Events> {
  const { method = 'POST', body, accept = 'text/event-stream', lastEventId, secret = secrets.website } = asked;
  const leaving = new AbortController();
  t.teardown(() => leaving.abort());
  const response = await fetch(url, {
    method,
    signal: leaving.signal,
    headers: {
      'x-api-key': secret,
      ...(accept !== null && { accept }),
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return new Events(response, leaving);
}

function triggerUrl({ url }: TestGateway, key: string): string {
  return `${url}/api/v1.0/project/support/trigger/${key}`;
}

t.test('respond stream sends each delta as the agent produces it, then the whole output', async (t) => {
  const gateway = await startTestGateway(t, files({ talk: { run: { uses: 'talker' }, respond } }));
  const before = talkers().length;
  const events = await ask(t, triggerUrl(gateway, 'talk'), { body: { instruction: 'hello' } });
  t.equal(events.response.status, 200);
  t.match(events.response.headers.get('content-type'), /^text\/event-stream/);
  t.equal(events.response.headers.get('cache-control'), 'no-store, no-transform');
  const accepted = await events.next();
  const { runId, statusUrl } = Object(accepted?.data);
  t.match(accepted, { event: 'accepted', id: `${runId}.0.0`, data: { status: 'running' } });
  const talker = await nextTalker(before);
  talker.say('Good ');
  t.strictSame(await events.next(), {
    ...{ event: 'delta', id: `${runId}.1.5`, data: { attempt: 1, offset: 0, text: 'Good ' } },
  });
  talker.say('day — ☕\n\ndata: x');
  t.match(await events.next(), { event: 'delta', data: { offset: 5, text: 'day — ☕\n\ndata: x' } });
  const usage = { inputTokens: 3, outputTokens: 4 };
  talker.end({ kind: 'succeeded', output: { text: 'Good day' }, usage });
  t.strictSame(await events.rest(), [
    { event: 'message', id: `${runId}.end`, data: { runId, status: 'succeeded', output: { text: 'Good day' } } },
    { event: 'done', id: `${runId}.end`, data: { runId, status: 'succeeded', statusUrl, usage } },
  ]);
  const run = await gateway.fire('talk', undefined, { method: 'GET', path: `/run/${runId}` });
  t.match(run.body, { status: 'succeeded', output: { text: 'Good day' }, usage });
});

t.test('respond stream sends a single message for an agent without deltas', async (t) => {
  const gateway = await startTestGateway(t, files({ echo: { respond } }));
  const events = await (await ask(t, triggerUrl(gateway, 'echo'), { body: { instruction: 'hi' } })).rest();
  t.strictSame(
    events.map(({ event }) => event),
    ['accepted', 'message', 'done'],
  );
  t.match(events[1]?.data, { status: 'succeeded', output: { instruction: 'hi' } });
});

t.test('echo with stream: true streams the instruction word by word', async (t) => {
  const gateway = await startTestGateway(
    t,
    files({ echo: { run: { uses: 'echo', with: { stream: true } }, respond } }),
  );
  const events = await (await ask(t, triggerUrl(gateway, 'echo'), { body: { instruction: 'one two  three' } })).rest();
  const deltas = events.filter(({ event }) => event === 'delta');
  t.equal(deltas.map(({ data }) => data.text).join(''), 'one two  three');
  t.equal(events.at(-2)?.data.output, 'one two  three');
});

t.test('respond stream reports a failed or cancelled run as an error event with a problem', async (t) => {
  const gateway = await startTestGateway(t, files({ talk: { run: { uses: 'talker' }, respond } }));
  const before = talkers().length;
  const failing = await ask(t, triggerUrl(gateway, 'talk'));
  (await nextTalker(before)).end({ kind: 'failed', message: 'the model is down', retryable: false });
  const [accepted, failed, ...more] = await failing.rest();
  t.equal(accepted?.event, 'accepted');
  t.match(failed, { event: 'error', data: { status: 502, code: 'run_failed', detail: 'the model is down' } });
  t.strictSame(more, []);

  const cancelled = await ask(t, triggerUrl(gateway, 'talk'));
  const { runId } = await cancelled.accepted();
  await gateway.fire('talk', undefined, { method: 'DELETE', path: `/run/${runId}` });
  t.match(await cancelled.rest(), [{ event: 'error', data: { code: 'run_cancelled', runId } }]);
});

t.test('respond stream answers a request that is not accepted with a plain problem', async (t) => {
  const gateway = await startTestGateway(
    t,
    files({ picky: { filter: 'plan = "pro"', dedup: 'body', respond: { uses: 'stream' } } }),
  );
  const dropped = await ask(t, triggerUrl(gateway, 'picky'), { body: { plan: 'free' } });
  t.equal(dropped.response.status, 400);
  t.equal(dropped.response.headers.get('content-type'), 'application/problem+json');
  t.match(await dropped.response.json().catch(() => undefined), undefined, 'the body was handed to the reader');
  await (await ask(t, triggerUrl(gateway, 'picky'), { body: { plan: 'pro' } })).rest();
  t.equal((await ask(t, triggerUrl(gateway, 'picky'), { body: { plan: 'pro' } })).response.status, 400);
  t.equal((await ask(t, triggerUrl(gateway, 'picky'), { secret: 'nobody' })).response.status, 401);
});

t.test(
  "a stream's client that disconnects does not stop the run, and receives the rest with Last-Event-ID",
  async (t) => {
    const gateway = await startTestGateway(t, files({ talk: { run: { uses: 'talker' }, respond } }));
    const before = talkers().length;
    const first = await ask(t, triggerUrl(gateway, 'talk'), { body: { instruction: 'tell me' } });
    const talker = await nextTalker(before);
    talker.say('one ');
    const { runId, statusUrl } = await first.accepted();
    const one = await first.next();
    first.leave();
    talker.say('two ');

    // By the run's address, as an EventSource does, and by the same request again, as one does that can POST.
    const byAddress = await ask(t, `${gateway.url}${statusUrl}`, { method: 'GET', lastEventId: one?.id });
    const again = { body: { instruction: 'tell me' }, lastEventId: one?.id, accept: null };
    const byRequest = await ask(t, triggerUrl(gateway, 'talk'), again);
    const stranger = await ask(t, `${gateway.url}${statusUrl}`, { method: 'GET', secret: secrets.other });
    t.equal(stranger.response.status, 403);
    for (const events of [byAddress, byRequest]) {
      t.match(await events.next(), { event: 'accepted', id: one?.id, data: { runId } });
      t.match(await events.next(), { event: 'delta', data: { attempt: 1, offset: 4, text: 'two ' } });
    }
    talker.say('three');
    talker.end({ kind: 'succeeded', output: 'one two three' });
    for (const events of [byAddress, byRequest]) {
      const rest = await events.rest();
      t.strictSame(
        rest.map(({ event }) => event),
        ['delta', 'message', 'done'],
      );
      t.equal(rest[1]?.data.output, 'one two three');
    }
    t.equal(talkers().length, before + 1, 'no further run was fired');

    const late = await ask(t, `${gateway.url}${statusUrl}`, { method: 'GET', lastEventId: one?.id });
    const told = await late.rest();
    t.strictSame(
      told.map(({ event }) => event),
      ['accepted', 'message', 'done'],
    );
    const end = { method: 'GET', lastEventId: told.at(-1)?.id };
    t.equal((await ask(t, `${gateway.url}${statusUrl}`, end)).response.status, 204, 'an EventSource stops at a 204');
    t.equal((await ask(t, triggerUrl(gateway, 'talk'), { ...end, method: 'POST' })).response.status, 204);
    t.equal(talkers().length, before + 1);
  },
);

t.test('a Last-Event-ID of another run, or an invalid one, fires a new run', async (t) => {
  const gateway = await startTestGateway(t, files({ echo: { respond }, other: { respond } }));
  const [accepted] = await (await ask(t, triggerUrl(gateway, 'other'))).rest();
  for (const lastEventId of [accepted?.id, `${'0'.repeat(36)}.1.5`, 'x', '']) {
    const [again] = await (await ask(t, triggerUrl(gateway, 'echo'), { lastEventId })).rest();
    t.not(again?.data.runId, accepted?.data.runId, `Last-Event-ID: ${lastEventId}`);
  }
});

t.test('the stream of a run resumed after a restart continues with the deltas of the next attempt', async (t) => {
  const base = durableFiles();
  const engine = { uses: 'sqlite', with: { path: 'data/pullcord.db' } };
  const before = talkers().length;
  const first = await startTestGateway(t, files({ talk: { run: { uses: 'talker' }, respond } }, base, { engine }));
  const events = await ask(t, triggerUrl(first, 'talk'), { body: { instruction: 'hello' } });
  const { statusUrl } = await events.accepted();
  (await nextTalker(before)).say('I was ');
  const { id } = (await events.next()) ?? {};
  const rest = events.rest();
  await first.gateway.close();
  t.strictSame(await rest, [], 'the stream ends without an event for the end of the run');

  const second = await serveFolder(t, first.root);
  const again = await ask(t, `${second.url}${statusUrl}`, { method: 'GET', lastEventId: id });
  const talker = await nextTalker(before + 1);
  talker.say('I am ');
  t.match(await again.next(), { event: 'accepted' });
  t.match(await again.next(), { event: 'delta', data: { attempt: 2, offset: 0, text: 'I am ' } });
  talker.end({ kind: 'succeeded', output: 'I am here' });
  t.match(await again.rest(), [{ event: 'message', data: { output: 'I am here' } }, { event: 'done' }]);
});

t.test('a stream read past the retention of the output ends without an output', async (t) => {
  const gateway = await startTestGateway(t, files({ echo: { respond, record: 'metadata' } }));
  const first = await (await ask(t, triggerUrl(gateway, 'echo'), { body: { instruction: 'hi' } })).rest();
  t.match(first[1]?.data, { output: { instruction: 'hi' } });
  const { runId, statusUrl } = first[0]?.data ?? {};
  const later = await (await ask(t, `${gateway.url}${statusUrl}`, { method: 'GET' })).rest();
  t.strictSame(later[1]?.data, { runId, status: 'succeeded' });
});

t.test('a stream past its timeout always ends with wait_timeout', async (t) => {
  const run = { uses: 'echo', with: { stream: true, delay: '1h' } };
  const timeout = { timeout: '20ms' };
  const gateway = await startTestGateway(
    t,
    files({
      stream: { run, respond: { uses: 'stream', with: timeout } },
      wait: { run, respond: { uses: 'wait', with: { ...timeout, stream: true } } },
    }),
  );
  for (const key of Array.from({ length: 10 }, () => ['stream', 'wait']).flat()) {
    const told = await (await ask(t, triggerUrl(gateway, key), { body: { instruction: 'late' } })).rest();
    t.match(told.at(-1), { event: 'error', data: { status: 408, code: 'wait_timeout' } }, key);
  }
});

t.test('respond wait streams to a client that accepts event streams, if the trigger allows it', async (t) => {
  const wait = (stream: boolean) => ({ respond: { uses: 'wait', with: { timeout: '10s', stream } } });
  const gateway = await startTestGateway(t, files({ open: wait(true), closed: wait(false) }));
  const type = async (key: string, accept: string | null) =>
    (await ask(t, triggerUrl(gateway, key), { accept })).response.headers.get('content-type')?.split(';')[0];
  t.equal(await type('open', 'text/event-stream'), 'text/event-stream');
  t.equal(await type('open', 'application/json, text/event-stream;q=0.5'), 'text/event-stream');
  t.equal(await type('open', 'application/json'), 'application/json');
  t.equal(await type('open', null), 'application/json');
  t.equal(await type('closed', 'text/event-stream'), 'application/json');
});

t.test('Accept header', (t) => {
  for (const accept of ['text/event-stream', 'Text/Event-Stream; q=0.1', 'a/b,text/event-stream , c/d'])
    t.test(`Accept: ${accept} requests an event stream`, async (t) => t.ok(acceptsEventStream(accept)));
  for (const accept of [
    undefined,
    '',
    '*/*',
    'text/*',
    'text/event-stream;q=0',
    'text/event-streams',
    'x/text/event-stream',
  ])
    t.test(`Accept: ${accept} does not request an event stream`, async (t) => t.notOk(acceptsEventStream(accept)));
  t.end();
});

t.test(
  'backpressure: a slow reader delays neither the agent nor other readers, and its buffer is bounded',
  async (t) => {
    const gateway = await startTestGateway(t, files({ talk: { run: { uses: 'talker' }, respond } }));
    const before = talkers().length;
    const { port } = new URL(gateway.url);
    const socket = connect(Number(port), '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.write(
      `POST /api/v1.0/project/support/trigger/talk HTTP/1.1\r\nhost: x\r\nx-api-key: ${secrets.website}\r\ncontent-length: 0\r\n\r\n`,
    );
    const [head] = await once(socket, 'data');
    socket.pause();
    const runId = /"runId":"([^"]+)"/.exec(String(head))?.[1];
    const talker = await nextTalker(before);
    const word = 'x'.repeat(1024);
    const reader = await ask(t, `${gateway.url}/api/v1.0/project/support/trigger/talk/run/${runId}`, { method: 'GET' });
    for (let count = 0; count < 50_000; count += 1) talker.say(word);
    talker.end({ kind: 'succeeded', output: 'done' });
    const told = await reader.rest();
    t.equal(told.at(-1)?.event, 'done');
    t.match((await gateway.fire('talk', undefined, { method: 'GET', path: `/run/${runId}` })).body, {
      ...{ status: 'succeeded', output: 'done' },
    });
    // What the slow one missed it can see by the offsets, and the message has the whole output.
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.resume();
    await until(() => text.includes('event: done'));
    t.ok(text.length < 20_000_000, `${text.length}`);
  },
);

t.test('an event stream sends heartbeats, and releases the run when its client disconnects', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const view: RunView = { state: 'running', output: undefined, failure: undefined, usage: undefined };
  let signal: AbortSignal | undefined;
  const run: AcceptedRun = {
    ...{ runId: 'f'.repeat(36), statusUrl: '/run' },
    wait: () => view,
    async *deltas(_after, given) {
      signal = given;
      await new Promise<void>((resolve) => given?.addEventListener('abort', () => resolve()));
    },
  };
  const open = () => {
    const { stream } = eventStream({ run, timeoutMs: 40_000 });
    return (stream as AsyncIterable<string>)[Symbol.asyncIterator]();
  };
  const events = open();
  t.match((await events.next()).value, /^retry: 2000\nid: f+\.0\.0\nevent: accepted\n/);
  const heartbeat = events.next();
  mock.timers.tick(15_000);
  t.equal((await heartbeat).value, ': still running\n\n');

  const leaving = open();
  await leaving.next();
  const next = leaving.next();
  await leaving.return?.();
  t.ok(signal?.aborted);
  await next;
});

t.test('a reload ends the streams of a revoked key, and of no other', async (t) => {
  const gateway = await startTestGateway(t, {
    ...files({ talk: { run: { uses: 'talker' }, respond } }),
    'keys/other.yaml': keyFile('other'),
  });
  const stream = async (secret: string) => {
    const before = talkers().length;
    const events = await ask(t, triggerUrl(gateway, 'talk'), { body: {}, secret });
    const accepted = await events.accepted();
    return { events, accepted, talker: await nextTalker(before) };
  };
  const kept = await stream(secrets.website);
  const ended = await stream(secrets.other);
  const resumed = await ask(t, `${gateway.url}${ended.accepted.statusUrl}`, { method: 'GET', secret: secrets.other });
  await resumed.accepted();

  await writeInto(gateway.root, 'keys/other.yaml', keyFile('other', { status: 'revoked' }));
  t.strictSame(await ended.events.rest(), [], 'the stream of its request ends without the output');
  t.strictSame(await resumed.rest(), [], 'so does one that reads the run');
  const again = await ask(t, `${gateway.url}${ended.accepted.statusUrl}`, { method: 'GET', secret: secrets.other });
  t.equal(again.response.status, 401);

  kept.talker.say('still here');
  t.match(await kept.events.next(), { event: 'delta', data: { text: 'still here' } });
  kept.talker.end({ kind: 'succeeded', output: 'whole' });
  t.match(await kept.events.rest(), [{ event: 'message' }, { event: 'done' }]);
  ended.talker.end({ kind: 'succeeded', output: 'whole' });
});

t.test('a revocation beside a file that is refused ends streams too', async (t) => {
  const gateway = await startTestGateway(t, {
    ...files({ talk: { run: { uses: 'talker' }, respond } }),
    'keys/other.yaml': keyFile('other'),
  });
  const before = talkers().length;
  const events = await ask(t, triggerUrl(gateway, 'talk'), { body: {}, secret: secrets.other });
  await events.accepted();
  const talker = await nextTalker(before);
  await writeInto(gateway.root, 'broken.yaml', 'nonsense: [');
  await writeInto(gateway.root, 'keys/other.yaml', keyFile('other', { status: 'revoked' }));
  t.strictSame(await events.rest(), []);
  // The revocation is applied before the reload is decided.
  await until(() => !gateway.gateway.reloader.last.ok);
  talker.end({ kind: 'succeeded', output: 'whole' });
});

t.test('a reload leaves a stream open whose key has expired since it began', async (t) => {
  const expires = new Date(Date.now() + 2000).toISOString();
  const [secret] = JSON.parse(keyFile('other')).secrets;
  const expiring = keyFile('other', { secrets: [{ ...secret, expires }] });
  const gateway = await startTestGateway(t, {
    ...files({ talk: { run: { uses: 'talker' }, respond }, probe: {} }),
    'keys/other.yaml': expiring,
  });
  const before = talkers().length;
  const events = await ask(t, triggerUrl(gateway, 'talk'), { body: {}, secret: secrets.other });
  await events.accepted();
  const talker = await nextTalker(before);
  await until(async () => (await gateway.fire('probe', {}, { secret: secrets.other })).status === 401);
  t.ok((await gateway.gateway.reloader.reload({ always: true })).ok);
  talker.say('still here');
  t.match(await events.next(), { event: 'delta', data: { text: 'still here' } });
  talker.end({ kind: 'succeeded', output: 'whole' });
});
