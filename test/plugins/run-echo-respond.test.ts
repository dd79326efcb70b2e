import t from 'tap';
import accepted from '../../plugins/respond/accepted/index.ts';
import wait from '../../plugins/respond/wait/index.ts';
import echo from '../../plugins/run/echo/index.ts';
import type { AcceptedOutcome, MaybePromise, RunView } from '../../src/contract/index.ts';
import { exchangeOf, pluginContext } from '../support/exchange.ts';
import { drive, runRequest } from '../support/run-plugin.ts';

const run = runRequest();

t.test('echo', async (t) => {
  t.test('answers with its input at once', async (t) => {
    const { result } = await drive(echo.create(pluginContext, { stream: false }), run);
    t.same(result, { kind: 'succeeded', output: run.input });
  });

  t.test('answers with its input after the delay', async (t) => {
    const startedAt = performance.now();
    const { result } = await drive(echo.create(pluginContext, { delay: 20, stream: false }), run);
    t.same(result, { kind: 'succeeded', output: run.input });
    t.ok(performance.now() - startedAt >= 19);
  });

  t.test('streams the input if there is no instruction', async (t) => {
    const plugin = echo.create(pluginContext, { stream: true });
    const input = { environment: 'api', language: 'en', action: 'opened' };
    const { result } = await drive(plugin, { ...run, input });
    t.strictSame(result, { kind: 'succeeded', output: JSON.stringify(input) });
  });

  t.test('streams the instruction word by word', async (t) => {
    const { deltas, result } = await drive(echo.create(pluginContext, { delay: 1, stream: true }), run);
    t.strictSame(deltas, ['refund', ' order', ' 7', ' –', ' süß']);
    t.same(result, { kind: 'succeeded', output: run.input.instruction });
  });

  t.test('ends as soon as it is aborted, also when it was before', async (t) => {
    for (const stream of [false, true]) {
      const plugin = echo.create(pluginContext, { delay: 3_600_000, stream });
      const controller = new AbortController();
      const pending = drive(plugin, run, { signal: controller.signal });
      controller.abort();
      t.match((await pending).result, { kind: 'failed', message: 'the run was aborted' });
      t.match((await drive(plugin, run, { signal: controller.signal })).result, { kind: 'failed' });
    }
  });
});

const statusUrl = '/api/v1.0/project/support/trigger/refund/run/run-1';

function acceptedRun(view: Partial<RunView>, waits: number[] = []): AcceptedOutcome {
  return {
    kind: 'accepted',
    runId: 'run-1',
    statusUrl,
    async *deltas() {},
    wait(timeoutMs) {
      waits.push(timeoutMs);
      return { state: 'running', output: undefined, failure: undefined, usage: undefined, ...view };
    },
  };
}

function later(run: AcceptedOutcome, view: MaybePromise<RunView>): AcceptedOutcome {
  return { ...run, wait: async () => view };
}

t.test('wait', async (t) => {
  const plugin = wait.create(pluginContext, { timeout: 30_000, async: true, stream: false });
  const answer = (view: Partial<RunView>) => plugin.respond(exchangeOf({}), acceptedRun(view));

  t.test('answers with the output of a run that succeeded, and null for none', async (t) => {
    t.same(answer({ state: 'succeeded', output: { text: 'done' } }), {
      status: 200,
      body: { runId: 'run-1', status: 'succeeded', output: { text: 'done' } },
    });
    t.match(answer({ state: 'succeeded' }), { body: { output: null } });
  });

  t.test('answers 502 for a run that failed or was cancelled', async (t) => {
    t.match(answer({ state: 'failed', failure: { message: 'The agent said no.', retryable: false } }), {
      status: 502,
      body: { code: 'run_failed', runId: 'run-1', statusUrl, detail: 'The agent said no.' },
    });
    t.match(answer({ state: 'failed' }), { status: 502, body: { detail: 'The run failed.' } });
    t.match(answer({ state: 'cancelled' }), {
      status: 502,
      body: { code: 'run_cancelled', runId: 'run-1', statusUrl },
    });
  });

  t.test('answers 408 with the status URL while the run goes on', async (t) => {
    for (const state of ['queued', 'running'] as const) {
      t.match(answer({ state }), {
        status: 408,
        headers: { location: statusUrl, 'retry-after': '5' },
        body: { code: 'wait_timeout', runId: 'run-1', statusUrl },
      });
    }
  });

  t.test('waits for as long as the options say, and passes a promise on', async (t) => {
    const waits: number[] = [];
    plugin.respond(exchangeOf({}), acceptedRun({ state: 'succeeded' }, waits));
    t.same(waits, [30_000]);
    const view: RunView = { state: 'succeeded', output: 7, failure: undefined, usage: undefined };
    const reply = plugin.respond(exchangeOf({}), later(acceptedRun({}), view));
    t.ok(reply instanceof Promise);
    t.match(await reply, { status: 200, body: { output: 7 } });
  });
});

t.test('accepted', async (t) => {
  const plugin = accepted.create(pluginContext, {});

  t.test('answers 202 with the state of the run and its status URL, without waiting', async (t) => {
    const waits: number[] = [];
    t.same(plugin.respond(exchangeOf({}), acceptedRun({ state: 'running' }, waits)), {
      status: 202,
      headers: { location: statusUrl, 'retry-after': '5' },
      body: { runId: 'run-1', status: 'running', statusUrl },
    });
    t.same(waits, [0]);
  });

  t.test('answers 202 all the same when the state cannot be read', async (t) => {
    const view: RunView = { state: 'succeeded', output: 7, failure: undefined, usage: undefined };
    t.match(await plugin.respond(exchangeOf({}), later(acceptedRun({}), view)), { body: { status: 'succeeded' } });
    const unreachable = later(acceptedRun({}), Promise.reject(new Error('out of reach')));
    t.match(await plugin.respond(exchangeOf({}), unreachable), { status: 202, body: { status: 'queued' } });
  });
});
