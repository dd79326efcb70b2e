import { mock } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { FinalRunResult, JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { AttemptReleased } from '../../../src/engine/types/index.ts';
import { listen } from '../../support/listen.ts';
import { until } from '../../support/until.ts';
import {
  location,
  of,
  pluginFor,
  type Reply,
  run,
  runId,
  said,
  serverOf,
  sessionWith,
  sse,
  thread,
  values,
} from './stub.ts';

// How runs end on a server, are continued and are cancelled.

const status = (status: string): Reply => values({ status });
const state = (values: JsonObject, tasks: JsonValue = []): Reply => ({ body: JSON.stringify({ values, tasks }) });

t.test('a run on a thread', async (t) => {
  t.test('does not end with a stream that ends before it', async (t) => {
    const { url, calls } = await serverOf(t, {
      [`POST ${thread}/runs/stream`]: [{ headers: location, body: sse(['values', said('of the turn before')]) }],
      [`GET ${thread}/runs/${runId}`]: [status('running'), status('pending'), status('success')],
      [`GET ${thread}/runs/${runId}/join`]: [values(null), values(null)],
      [`GET ${thread}/state`]: [state(said('done'))],
    });
    const { result } = await pluginFor(t, url)({ sessionId: 's', session: sessionWith() });
    t.strictSame(result, { kind: 'succeeded', output: 'done', memory: {} });
    t.equal(calls().length, 7);
  });

  t.test('is waited for although a request for its status fails', async (t) => {
    const { url, calls } = await serverOf(t, {
      [`POST ${thread}/runs/wait`]: [{ headers: location, ...values(said('done')) }],
      [`GET ${thread}/runs/${runId}`]: [{ status: 500 }, { isCut: true }, status('success')],
    });
    const { result } = await pluginFor(t, url, { stream: false })({ sessionId: 's', session: sessionWith() });
    t.strictSame(result, { kind: 'succeeded', output: 'done', memory: {} });
    t.equal(calls().length, 4);
  });

  const ends: Record<string, [Reply, object]> = {
    'was cancelled there': [
      status('interrupted'),
      { kind: 'failed', message: 'the run was cancelled on the server', retryable: false, memory: {} },
    ],
    failed: [status('error'), { kind: 'failed', message: 'the graph failed', retryable: true, memory: {} }],
    'was too late there': [
      status('timeout'),
      { kind: 'failed', message: 'the graph failed', retryable: true, memory: {} },
    ],
    'is not known there': [
      { status: 404 },
      { kind: 'failed', message: 'agent no longer knows its run', retryable: true, memory: {} },
    ],
    'has an unknown status': [status('dreaming'), { kind: 'failed', message: /status/, retryable: false }],
    'must not be looked at': [{ status: 403 }, { kind: 'failed', message: /^agent answered 403/, retryable: false }],
  };
  for (const [name, [reply, expected]] of Object.entries(ends)) {
    t.test(`fails if it ${name}`, async (t) => {
      const { url } = await serverOf(t, {
        [`POST ${thread}/runs/wait`]: [{ headers: location, ...values(said('half')) }],
        [`GET ${thread}/runs/${runId}`]: [reply],
        [`GET ${thread}/state`]: [state(said('half'))],
      });
      const { result } = await pluginFor(t, url, { stream: false })({ sessionId: 's', session: sessionWith() });
      t.match(result, expected);
    });
  }

  t.test('is continued by the next attempt after the connection was lost', async (t) => {
    const { url, calls } = await serverOf(t, {
      [`POST ${thread}/runs/stream`]: [{ headers: location, body: ': \n', isCut: true }],
      [`GET ${thread}/runs/${runId}`]: [status('running'), status('success')],
      [`GET ${thread}/runs/${runId}/join`]: [values(null)],
      [`GET ${thread}/state`]: [state({}, [{ result: null, interrupts: [{ id: 'i', value: 'which?' }] }])],
    });
    const execute = pluginFor(t, url);
    const session = sessionWith();
    const first = await execute({ sessionId: 's', session });
    t.match(first.result, { kind: 'failed', message: /connection/, retryable: true });
    const { result } = await execute({ sessionId: 's', session, attempt: 2 });
    t.strictSame(result, { kind: 'input_required', output: 'which?', memory: of(url, { asked: ['i'] }) });
    t.equal(calls().filter((call) => call.startsWith('POST')).length, 1);
  });

  for (const [name, reply] of Object.entries({ forgotten: { status: 404 }, cancelled: status('interrupted') })) {
    t.test(`is begun again by the next attempt if the server has ${name} it`, async (t) => {
      const { url } = await serverOf(t, {
        [`GET ${thread}/runs/${runId}`]: [reply, status('success')],
        [`GET ${thread}/state`]: [state(said('half'))],
        [`POST ${thread}/runs/wait`]: [{ headers: location, ...values(said('done')) }],
      });
      const session = sessionWith(of(url, { running: { run: run.id, id: runId } }));
      const { result } = await pluginFor(t, url, { stream: false })({ sessionId: 's', session, attempt: 2 });
      t.match(result, { kind: 'succeeded', output: 'done' });
    });
  }
});

t.test('an answer whose run failed is sent again by the next attempt, and not by the next run', async (t) => {
  const { url, requests } = await serverOf(t, {
    [`POST ${thread}/runs/wait`]: [
      values({ __error__: { error: 'KeyError' } }),
      { headers: location, body: '', isCut: true },
      values(said('x')),
      values(said('x')),
    ],
  });
  const execute = pluginFor(t, url, { stream: false });
  const answers = async (memory: JsonValue, id = run.id) => {
    const session = sessionWith(memory);
    const { result } = await execute({ sessionId: 's', session, id });
    return result.memory ?? session.memory ?? null;
  };
  const failed = await answers(of(url, { asked: ['i'] }));
  t.strictSame(failed, of(url, { asked: ['i'], answeredBy: run.id }));
  const cut = await answers(failed);
  t.strictSame(cut, of(url, { asked: ['i'], answeredBy: run.id, running: { run: run.id, id: runId } }));
  await answers(failed, '01890a5d-ac96-774b-bcce-b302099a8058');
  await answers([{ role: 'user', content: 'of another plugin' }]);
  const sent = requests.map(({ body }) =>
    Object.keys(body ?? {}).find((name) => name === 'command' || name === 'input'),
  );
  t.strictSame(sent, ['command', 'command', 'input', 'input']);
});

t.test('the memory of another server is ignored', async (t) => {
  const { url, requests, calls } = await serverOf(t, {
    [`POST ${thread}/runs/wait`]: [values(said('x')), values(said('x'))],
  });
  const execute = pluginFor(t, url, { stream: false });
  const elsewhere = 'http://127.0.0.1:1';
  for (const memory of [{ asked: ['i'] }, { running: { run: run.id, id: runId } }]) {
    await execute({ sessionId: 's', session: sessionWith(of(elsewhere, memory)) });
  }
  t.strictSame(calls(), [`POST ${thread}/runs/wait`, `POST ${thread}/runs/wait`]);
  for (const { body } of requests) t.match(body, { input: {}, command: undefined });
});

t.test('a run ends with its last event', async (t) => {
  const cases: Record<string, [string, Partial<FinalRunResult>]> = {
    end: [sse(['values', said('done')], ['end', null]), { kind: 'succeeded', output: 'done' }],
    error: [sse(['error', { error: 'KeyError' }]), { kind: 'failed', message: 'the graph failed (KeyError)' }],
  };
  for (const [name, [body, expected]] of Object.entries(cases)) {
    t.test(`"${name}", although the connection stays open, which is cut a second later`, async (t) => {
      mock.timers.enable({ apis: ['setTimeout'] });
      t.teardown(() => mock.timers.reset());
      const closed = Promise.withResolvers<void>();
      const url = await listen(t, (_, response) => {
        response.once('close', closed.resolve).write(body);
      });
      t.match((await pluginFor(t, url)()).result, expected);
      mock.timers.tick(1_000);
      await closed.promise;
    });
  }

  t.test('and keeps its connection for the next run', async (t) => {
    const sockets = new Set<unknown>();
    const url = await listen(t, ({ socket }, response) => {
      sockets.add(socket);
      response.write(
        sse(['values', said('done')], ['end', null]),
        () => void setTimeout(50).then(() => response.end()),
      );
    });
    const execute = pluginFor(t, url, { connections: 1 });
    await execute();
    await execute();
    t.equal(sockets.size, 1);
  });
});

/** A server whose run does not end, executed until the session remembers it. */
async function endlessRun(t: Test) {
  const calls: string[] = [];
  const url = await listen(t, (request, response) => {
    calls.push(`${request.method} ${request.url}`);
    if (request.url?.endsWith('/stream')) response.writeHead(200, location).flushHeaders();
    else response.end();
  });
  const controller = new AbortController();
  const session = sessionWith();
  const execution = pluginFor(t, url)({ sessionId: 's', session }, controller.signal);
  await until(() => session.memory !== undefined);
  return { calls, controller, execution };
}

const begin = `POST ${thread}/runs/stream`;
const cancel = `POST ${thread}/runs/${runId}/cancel`;

t.test('cancelling', async (t) => {
  const ends = { 'a run that is cancelled': undefined, 'a gateway that stops': new AttemptReleased() };
  for (const [name, reason] of Object.entries(ends)) {
    t.test(`${name} ${reason ? 'leaves the run on' : 'is cancelled on'} the server`, async (t) => {
      const { calls, controller, execution } = await endlessRun(t);
      controller.abort(reason);
      t.match((await execution).result, { kind: 'failed', message: 'the run was aborted', retryable: false });
      t.strictSame(calls, reason === undefined ? [begin, cancel] : [begin]);
    });
  }

  t.test('a run that the server names only after its time is up is cancelled then', async (t) => {
    const calls: string[] = [];
    const isLeft = Promise.withResolvers<void>();
    const url = await listen(t, async (request, response) => {
      calls.push(`${request.method} ${request.url}`);
      if (!request.url?.endsWith('/stream')) return void response.end();
      await isLeft.promise;
      response.writeHead(200, location).flushHeaders();
    });
    const execution = pluginFor(t, url, { timeout: 500 })({ sessionId: 's' });
    await until(() => calls.length > 0);
    await setTimeout(600);
    t.strictSame(calls, [begin]);
    isLeft.resolve();
    t.match((await execution).result, { message: 'the run did not end within 0.5s' });
    t.strictSame(calls, [begin, cancel]);
  });

  t.test('a gateway that stops leaves a run that the server has not named yet', async (t) => {
    const calls: string[] = [];
    const begun = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const url = await listen(t, (request, response) => {
      calls.push(`${request.method} ${request.url}`);
      response.once('close', closed.resolve);
      begun.resolve();
    });
    const controller = new AbortController();
    const execution = pluginFor(t, url)({ sessionId: 's' }, controller.signal);
    await begun.promise;
    controller.abort(new AttemptReleased());
    t.match((await execution).result, { message: 'the run was aborted' });
    await closed.promise;
    t.strictSame(calls, [begin]);
  });

  t.test('does not wait for a free connection', async (t) => {
    const calls: string[] = [];
    const url = await listen(t, (request, response) => {
      calls.push(`${request.method} ${request.url}`);
      if (request.url?.endsWith('/stream')) response.writeHead(200, location).flushHeaders();
      else response.end();
    });
    const execute = pluginFor(t, url, { connections: 1 });
    const [first, second] = [new AbortController(), new AbortController()];
    const session = sessionWith();
    const executions = [
      execute({ sessionId: 's', session }, first.signal),
      execute({ sessionId: 's', session: sessionWith() }, second.signal),
    ];
    await until(() => session.memory !== undefined);
    first.abort();
    await executions[0];
    t.ok(calls.includes(cancel));
    second.abort(new AttemptReleased());
    await executions[1];
  });

  t.test('a run that waits for a connection ends when its time is up', async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.teardown(() => mock.timers.reset());
    const begun = Promise.withResolvers<void>();
    const url = await listen(t, () => begun.resolve());
    const execute = pluginFor(t, url, { connections: 1, timeout: 50 });
    const executions = [execute(), execute()];
    await begun.promise;
    mock.timers.tick(50);
    // Neither run is named within the time that is allowed for that.
    mock.timers.tick(60_000);
    for (const { result } of await Promise.all(executions)) {
      t.match(result, { kind: 'failed', message: /within 0\.05s/, retryable: true });
    }
  });
});
