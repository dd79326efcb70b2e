import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { startCommand } from '../support/command.ts';
import {
  configFolder,
  durable,
  durableFiles,
  gatewayFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { answerOf } from '../support/send.ts';
import { until } from '../support/until.ts';

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  answer(status: number, body?: unknown): void;
  readonly response: ServerResponse;
}

/** An agent on a real socket: `next` gives the calls in the order in which they came. */
async function startAgent(t: Test): Promise<{ url: string; calls: Call[]; next(): Promise<Call> }> {
  const calls: Call[] = [];
  let taken = 0;
  const server = createServer(async (request, response) => {
    const body = await json(request).catch(() => undefined);
    const answer = (status: number, value: unknown = null) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    calls.push({ headers: request.headers, body, answer, response });
  });
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the agent has no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    calls,
    next: async () => {
      const index = taken;
      taken += 1;
      return until(() => calls[index]);
    },
  };
}

function agentTrigger(key: string, url: string, run: object, more: object = {}): Record<string, string> {
  return { [`triggers/${key}.yaml`]: triggerFile(key, { run: { uses: 'http', with: { url }, ...run }, ...more }) };
}

const readRun = async ({ url }: TestGateway, statusUrl: string, query = '') =>
  answerOf(await fetch(`${url}${statusUrl}${query}`, { headers: { 'x-api-key': secrets.website } }));

t.test('a retryable failure is followed by another attempt under the same run id', async (t) => {
  const agent = await startAgent(t);
  const run = { retry: { attempts: 3, backoff: '10ms', max: '20ms' } };
  const gateway = await startTestGateway(t, { ...durableFiles(), ...agentTrigger('flaky', agent.url, run) });
  const answering = gateway.fire('flaky', { order: 7 });
  for (const status of [503, 429]) (await agent.next()).answer(status);
  (await agent.next()).answer(200, 'at last');
  const answer = await answering;
  t.match(answer.body, { status: 'succeeded', output: 'at last' });
  t.strictSame(
    agent.calls.map(({ headers }) => [headers['idempotency-key'], headers['pullcord-attempt']]),
    ['1', '2', '3'].map((attempt) => [answer.body.runId, attempt]),
  );
  const { body } = await readRun(gateway, `/api/v1.0/project/support/trigger/flaky/run/${answer.body.runId}`);
  t.match(body, {
    attempt: 3,
    failedAttempts: [
      { attempt: 1, message: 'agent answered 503' },
      { attempt: 2, message: 'agent answered 429' },
    ],
  });
});

t.test('a run fails after its last attempt, and at once after a failure that is not retryable', async (t) => {
  const agent = await startAgent(t);
  const gateway = await startTestGateway(t, {
    ...durableFiles(),
    ...agentTrigger('flaky', agent.url, { retry: { attempts: 2, backoff: '10ms' } }),
    ...agentTrigger('once', agent.url, {}),
  });
  const attemptsOf = async (key: string, statuses: readonly number[]) => {
    const before = agent.calls.length;
    const answering = gateway.fire(key, {});
    for (const status of statuses) (await agent.next()).answer(status);
    t.match(await answering, { status: 502, body: { code: 'run_failed' } });
    return agent.calls.length - before;
  };
  t.equal(await attemptsOf('flaky', [503, 503]), 2);
  t.equal(await attemptsOf('flaky', [400]), 1);
  t.equal(await attemptsOf('once', [503]), 1, 'without retry there is one attempt');
});

t.test('a trigger executes up to run.concurrency runs at once and queues the others', async (t) => {
  const agent = await startAgent(t);
  const more = { respond: { uses: 'accepted' } };
  const gateway = await startTestGateway(t, {
    ...durableFiles(),
    ...agentTrigger('narrow', agent.url, { concurrency: 1 }, more),
  });
  const first = await gateway.fire('narrow', {});
  const second = await gateway.fire('narrow', {});
  t.match([first.body.status, second.body.status], ['running', 'queued']);
  const call = await agent.next();
  t.match(await (await fetch(`${gateway.adminUrl}/metrics`)).text(), /pullcord_runs\{state="queued"\} 1/);
  t.equal(agent.calls.length, 1);
  call.answer(200);
  (await agent.next()).answer(200);
  const ended = await readRun(gateway, second.body.statusUrl, '?wait=10s');
  t.match(ended.body, { status: 'succeeded' });
});

t.test('an attempt ends at run.timeout, and its run fails', async (t) => {
  const gateway = await startTestGateway(t, {
    ...durableFiles(),
    'triggers/long.yaml': triggerFile('long', { run: { uses: 'echo', with: { delay: '1h' }, timeout: '1s' } }),
  });
  const answer = await gateway.fire('long', {});
  t.match(answer, { status: 502, body: { code: 'run_failed', detail: 'the run did not end within 1s' } });
});

t.test('a caller that disconnects does not stop its run', async (t) => {
  const agent = await startAgent(t);
  const gateway = await startTestGateway(t, { ...durableFiles(), ...agentTrigger('slow', agent.url, {}) });
  const leaving = new AbortController();
  const request = fetch(`${gateway.url}/api/v1.0/project/support/trigger/slow`, {
    method: 'POST',
    headers: { 'x-api-key': secrets.website },
    signal: leaving.signal,
  });
  const call = await agent.next();
  leaving.abort();
  await t.rejects(request);
  call.answer(200, 'done all the same');
  const id = String(call.headers['idempotency-key']);
  const ended = await readRun(gateway, `/api/v1.0/project/support/trigger/slow/run/${id}`, '?wait=10s');
  t.match(ended.body, { status: 'succeeded', output: 'done all the same' });
});

t.test('the Prefer header shortens the wait of a caller, within the limits of the trigger', async (t) => {
  const agent = await startAgent(t);
  const gateway = await startTestGateway(t, {
    ...durableFiles(),
    ...agentTrigger('slow', agent.url, {}, { respond: { uses: 'wait', with: { timeout: '1h' } } }),
    ...agentTrigger('strict', agent.url, {}, { respond: { uses: 'wait', with: { timeout: '200ms', async: false } } }),
    'triggers/echo.yaml': triggerFile('echo'),
  });
  const fire = async (key: string, prefer: string) => {
    const { status, headers, body } = await gateway.fire(key, {}, { headers: { prefer } });
    return [status, headers.get('preference-applied'), body.code ?? body.status];
  };
  t.strictSame(await fire('slow', 'respond-async'), [202, 'respond-async', 'running']);
  t.strictSame(await fire('slow', 'handling=strict; a=b, Respond-Async, wait=0'), [
    202,
    'respond-async, wait=0',
    'running',
  ]);
  t.strictSame(await fire('slow', 'wait="0"'), [408, 'wait=0', 'wait_timeout']);
  t.strictSame(await fire('strict', 'respond-async'), [408, null, 'wait_timeout']);
  t.strictSame(await fire('strict', 'wait=3600'), [408, null, 'wait_timeout'], 'the wait is limited by the trigger');
  t.strictSame(await fire('echo', 'respond-async, wait=10'), [200, 'respond-async, wait=10', 'succeeded']);
  t.strictSame(await fire('echo', 'wait=-1, ,=,;'), [200, null, 'succeeded']);
});

t.test('a GET of a run can wait for its end', async (t) => {
  const agent = await startAgent(t);
  const more = { respond: { uses: 'accepted' } };
  const gateway = await startTestGateway(t, { ...durableFiles(), ...agentTrigger('slow', agent.url, {}, more) });
  const { statusUrl } = (await gateway.fire('slow', {})).body;
  const call = await agent.next();
  t.match((await readRun(gateway, statusUrl, '?wait=1ms')).body, { status: 'running' });
  const waiting = readRun(gateway, statusUrl, '?wait=60s');
  call.answer(200);
  t.match((await waiting).body, { status: 'succeeded' });
  for (const wait of ['soon', '1', '-1s', '']) {
    const answer = await readRun(gateway, statusUrl, `?wait=${wait}`);
    t.match([answer.status, answer.body.code], [400, 'bad_request'], `wait=${wait}`);
  }
});

t.test('a run is kept as its trigger, else its project, else the gateway says', async (t) => {
  const gateway = await startTestGateway(t, {
    ...durableFiles(),
    'gateway.yaml': gatewayFile({ engine: durable, defaults: { record: 'metadata' } }),
    'triggers/default.yaml': triggerFile('default'),
    'triggers/full.yaml': triggerFile('full', { record: { mask: ['/customer/email'] } }),
    'triggers/none.yaml': triggerFile('none', { record: 'none' }),
  });
  const keptOf = async (key: string) => {
    const { body } = await gateway.fire(key, { customer: { email: 'ada@example.org' } });
    t.match(body.output, { customer: { email: 'ada@example.org' } }, 'the caller gets the whole output');
    return (await fetch(`${gateway.adminUrl}/runs/${body.runId}`)).json();
  };
  t.match(await keptOf('full'), { input: { customer: { email: '***' } }, output: {} });
  const metadata = await keptOf('default');
  t.match(metadata, { state: 'succeeded', input: undefined, output: undefined });
  t.match(await keptOf('none'), { code: 'run_not_found' });
});

const countingPlugin = `export default {
  contract: 'v1', stage: 'run', name: 'counting', summary: 'Counts the turns of a conversation.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: () => ({
    execute(run) {
      const turns = (run.session?.memory?.turns ?? 0) + 1;
      return { kind: turns === 2 ? 'input_required' : 'succeeded', output: turns, memory: { turns } };
    },
  }),
};`;

t.test('a conversation continues after a restart, and input_required is reported to the caller', async (t) => {
  const root = await configFolder(t, {
    ...durableFiles(),
    'gateway.yaml': gatewayFile({ engine: durable, plugins: ['./counting.mjs'] }),
    'counting.mjs': countingPlugin,
    'triggers/talk.yaml': triggerFile('talk', { run: { uses: 'counting' } }),
  });
  const before = await serveFolder(t, root);
  const turn = async ({ fire }: TestGateway, sessionId?: string) => (await fire('talk', { sessionId })).body;
  t.match(await turn(before, 'a'), { status: 'succeeded', output: 1 });
  t.match(await turn(before, 'a'), { status: 'input_required', output: 2 });
  t.match(await turn(before, 'b'), { output: 1 });
  t.match(await turn(before), { output: 1 });
  await before.gateway.close();
  const after = await serveFolder(t, root);
  t.match(await turn(after, 'a'), { status: 'succeeded', output: 3 });
});

t.test('a run that has not ended at a stop is resumed by the next start', async (t) => {
  const agent = await startAgent(t);
  const more = { dedup: 'body', respond: { uses: 'accepted' } };
  const root = await configFolder(t, {
    ...durableFiles(),
    ...agentTrigger('slow', agent.url, { concurrency: 1 }, more),
  });
  const before = await serveFolder(t, root);
  const [running, queued] = [await before.fire('slow', { n: 1 }), await before.fire('slow', { n: 2 })];
  await agent.next();
  await before.gateway.close();
  const after = await serveFolder(t, root);
  const again = await agent.next();
  t.match([again.headers['idempotency-key'], again.headers['pullcord-attempt']], [running.body.runId, '2']);
  t.match(await after.fire('slow', { n: 1 }), { status: 400, body: { code: 'duplicate', runId: running.body.runId } });
  again.answer(200);
  (await agent.next()).answer(200);
  t.match((await readRun(after, queued.body.statusUrl, '?wait=10s')).body, { status: 'succeeded', attempt: 1 });
});

/** An agent that fails, then works detached until its completion, and notes for whom each method was called. */
const notingPlugin = `const noted = (globalThis.notedCallers ??= []);
export default {
  contract: 'v1', stage: 'run', name: 'noting', summary: 'Notes who fired.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: () => ({
    execute(run) {
      noted.push(['execute ' + run.attempt, run.caller]);
      return run.attempt === 1
        ? { kind: 'failed', message: 'busy', retryable: true }
        : { kind: 'detached', handle: 'task 1' };
    },
    resume(run, _handle, { signal }) {
      noted.push(['resume', run.caller]);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
    complete({ run }) {
      noted.push(['complete', run.caller]);
      return { kind: 'completed', result: { kind: 'succeeded', output: null } };
    },
  }),
};`;

t.test(
  'a run plugin learns who fired: at each attempt, after a restart, in a completion and in a replay',
  async (t) => {
    const noted: [method: string, caller: string][] = [];
    Reflect.set(globalThis, 'notedCallers', noted);
    t.teardown(() => Reflect.deleteProperty(globalThis, 'notedCallers'));
    const root = await configFolder(t, {
      ...durableFiles(),
      'gateway.yaml': gatewayFile({ engine: durable, plugins: ['./noting.mjs'] }),
      'noting.mjs': notingPlugin,
      'triggers/work.yaml': triggerFile('work', {
        run: { uses: 'noting', retry: { attempts: 2, backoff: '10ms' } },
        respond: { uses: 'accepted' },
      }),
    });
    const before = await serveFolder(t, root);
    const { runId, statusUrl } = (await before.fire('work', {})).body;
    await until(() => noted.length === 3);
    await before.gateway.close();
    const after = await serveFolder(t, root);
    await until(() => noted.length === 4);
    const completed = await fetch(`${after.url}${statusUrl}/completion`, { method: 'POST', body: '{}' });
    t.equal(completed.status, 200);
    await fetch(`${after.adminUrl}/runs/${runId}/replay`, { method: 'POST' });
    await until(() => noted.length >= 6);
    t.strictSame(
      noted.slice(0, 6),
      ['execute 1', 'execute 2', 'resume', 'resume', 'complete', 'execute 1'].map((method) => [method, 'website']),
    );
  },
);

t.test('a full disk refuses requests and their claims; requests are accepted again once there is room', async (t) => {
  const root = await configFolder(t, {
    ...durableFiles(),
    'triggers/once.yaml': triggerFile('once', { dedup: 'body' }),
  });
  await writeInto(root, 'gateway.yaml', gatewayFile({ engine: durable }));
  const serve = startCommand(t, ['serve', '--config', root]);
  if (serve.stderr === null) throw new Error('no stderr');
  let url = '';
  for await (const line of createInterface(serve.stderr)) {
    if (!line.includes('"serving"')) continue;
    url = JSON.parse(line).url;
    break;
  }
  serve.stderr.resume();
  const fire = async (body: object) =>
    answerOf(
      await fetch(`${url}/api/v1.0/project/support/trigger/once`, {
        method: 'POST',
        headers: { 'x-api-key': secrets.website, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    );
  t.equal((await fire({ n: 1 })).status, 200);
  // The kernel refuses to let any file of the process grow beyond: what a full disk looks like from inside.
  const limit = (bytes: number | 'unlimited') =>
    promisify(execFile)('prlimit', [`--pid=${serve.pid}`, `--fsize=${bytes}:unlimited`]);
  await limit((await stat(join(root, 'data/pullcord.db-wal'))).size);
  const refused = await until(async () => {
    const answer = await fire({ n: 2, text: 'x'.repeat(100_000) });
    return answer.status === 503 ? answer : undefined;
  });
  t.match(refused.body, { code: 'unavailable' });
  t.match(refused.headers.get('retry-after'), /^\d+$/);
  await limit('unlimited');
  const accepted = await until(async () => {
    const answer = await fire({ n: 2, text: 'x'.repeat(100_000) });
    return answer.status === 503 ? undefined : answer;
  });
  t.equal(accepted.status, 200, 'the refused request claimed nothing');
});
