import { once } from 'node:events';
import { mock } from 'node:test';
import t from 'tap';
import { DifyServer, type DifyStream } from '../../support/dify-server.ts';
import { until } from '../../support/until.ts';
import { pluginFor, userOf } from './support.ts';

t.test('stopping an app', async (t) => {
  const server = await DifyServer.start(t);
  /** Begins to answer, and never ends. */
  server.script = (stream) => stream.send({ event: 'message', answer: 'Well, ' });
  const begun = async (execution: ReturnType<typeof pluginFor>, signal: AbortSignal, changes = {}) => {
    const before = server.requests.length;
    const ended = execution.execute(changes, signal);
    const request = await until(() => server.requests[before]);
    await until(() => request.response.headersSent);
    return { ended, closed: once(request.response, 'close') };
  };

  for (const app of ['chat', 'workflow'] as const) {
    t.test(`stops a ${app} app when the run is cancelled`, async (t) => {
      const controller = new AbortController();
      const plugin = pluginFor(t, server.url, { app, apiKey: `app-${app}` });
      const { ended, closed } = await begun(plugin, controller.signal, { sessionId: 'ada' });
      const before = server.stopped.length;
      await new Promise(setImmediate);
      controller.abort();
      t.match(await ended, { result: { kind: 'failed', message: 'the run was aborted', retryable: false } });
      await closed;
      await until(() => server.stopped.length > before);
      t.match(server.requests.at(-1), {
        path: /^(chat-messages|workflows\/tasks)\/[^/]+\/stop$/,
        body: { user: userOf('ada') },
      });
    });
  }

  t.test('stops an app that names its task only long after the run was cancelled', async (t) => {
    const controller = new AbortController();
    const { script } = server;
    t.teardown(() => (server.script = script));
    const silent = Promise.withResolvers<DifyStream>();
    server.script = (stream) => {
      stream.raw(Buffer.from(': \n\n'));
      silent.resolve(stream);
    };
    const timers = mock.timers;
    const ended = pluginFor(t, server.url).execute({}, controller.signal);
    const stream = await silent.promise;
    timers.enable({ apis: ['setTimeout'] });
    t.teardown(() => timers.reset());
    controller.abort();
    await new Promise(setImmediate);
    timers.tick(9_000);
    timers.reset();
    const before = server.stopped.length;
    stream.send({ event: 'message', answer: 'Well, ' });
    await until(() => server.stopped.length > before);
    t.match(await ended, { result: { kind: 'failed', message: 'the run was aborted' } });
  });

  t.test('stops the app whose answer is lost: another attempt begins anew', async (t) => {
    const { script } = server;
    t.teardown(() => (server.script = script));
    server.script = (stream) => {
      stream.send({ event: 'message', answer: 'Well, ' });
      stream.end();
    };
    const before = server.stopped.length;
    t.match((await pluginFor(t, server.url).execute()).result, { kind: 'failed', retryable: true });
    await until(() => server.stopped.length > before);
  });

  t.test('stops the app when the time of the attempt is up', async (t) => {
    const before = server.stopped.length;
    const { result } = await pluginFor(t, server.url, { timeout: 100 }).execute();
    t.match(result, { kind: 'failed', message: 'the run did not end within 0.1s', retryable: true });
    await until(() => server.stopped.length > before);
  });

  t.test('stops the app while all connections are busy', async (t) => {
    const plugin = pluginFor(t, server.url, { connections: 1 });
    const before = server.stopped.length;
    const runs = [new AbortController(), new AbortController()].map((controller) => {
      const told = Promise.withResolvers<void>();
      return { controller, told: told.promise, ended: plugin.execute({}, controller.signal, told.resolve) };
    });
    for (const [index, { controller, told, ended }] of runs.entries()) {
      await told;
      // The other one takes the connection.
      controller.abort();
      await ended;
      await until(() => server.stopped.length > before + index);
    }
  });

  t.test('ends a cancelled run that still waits for a free connection', async (t) => {
    const plugin = pluginFor(t, server.url, { connections: 1 });
    const busy = new AbortController();
    const first = await begun(plugin, busy.signal);
    const waiting = new AbortController();
    const second = plugin.execute({}, waiting.signal);
    setImmediate(() => waiting.abort());
    t.match(await second, { result: { kind: 'failed', message: 'the run was aborted' } });
    busy.abort();
    await first.ended;
  });
});
