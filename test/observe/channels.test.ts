import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type CommitMessage,
  channels,
  type ReloadMessage,
  type RequestMessage,
  type RunMessage,
} from '../../src/contract/index.ts';
import { basicFiles, durableFiles, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

/** What is published on a channel from now on, until the test ends. */
function heard<Message>(
  t: Test,
  channel: { subscribe(one: (message: Message) => void): void; unsubscribe(one: (message: Message) => void): boolean },
) {
  const messages: Message[] = [];
  const subscriber = (message: Message) => void messages.push(message);
  channel.subscribe(subscriber);
  t.teardown(() => channel.unsubscribe(subscriber));
  return messages;
}

const respond = { uses: 'accepted' };

t.test('each run that becomes final is published once, with its state, whether it was started or not', async (t) => {
  const runs = heard<RunMessage>(t, channels.run);
  const { fire, gateway, adminUrl } = await startTestGateway(t, {
    ...durableFiles(),
    'triggers/echo.yaml': triggerFile('echo', { respond }),
    'triggers/later.yaml': triggerFile('later', { respond, run: { uses: 'echo', delay: '1h' } }),
  });
  const { body, headers } = await fire('echo', {});
  await until(() => runs.length === 1);
  t.match(runs, [
    {
      runId: body.runId,
      requestId: headers.get('x-request-id'),
      project: 'support',
      trigger: 'echo',
      caller: 'website',
      state: 'succeeded',
      attempts: 1,
    },
  ]);
  const [run] = runs;
  t.ok(run && run.finishedAt >= run.acceptedAt);
  t.type(run?.gateway.node, 'string');
  const { runId } = (await fire('later', {})).body;
  for (let time = 1; time <= 2; time += 1) {
    const cancelled = await fetch(`${adminUrl}/runs/${runId}/cancel`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    t.equal(cancelled.status, 200);
  }
  t.match(runs.slice(1), [{ runId, trigger: 'later', state: 'cancelled', attempts: 0 }]);
  await gateway.close();
  t.equal(runs.length, 2);
});

t.test('a reload is published once, however often the same refused files are tried again', async (t) => {
  const reloads = heard<ReloadMessage>(t, channels.reload);
  const { gateway, root } = await startTestGateway(t, durableFiles());
  const { revision } = gateway;
  await gateway.reloader.reload();
  t.equal(reloads.length, 0, 'nothing has changed');
  await writeInto(root, 'broken.yaml', 'kind: trigger\nnonsense: true\n');
  for (let count = 0; count < 3; count += 1) await gateway.reloader.reload();
  t.match(reloads, [{ outcome: 'rejected', serving: revision }]);
  t.not(reloads[0]?.revision, revision);
  await writeInto(root, 'broken.yaml', triggerFile('fine'));
  await gateway.reloader.reload();
  t.match(reloads.slice(1), [{ outcome: 'accepted', revision: gateway.revision, serving: gateway.revision }]);
  t.ok(reloads.every(({ durationMs }) => durationMs >= 0));
});

t.test('each request is published three times, and counted, also if the gateway fails', async (t) => {
  const { request } = channels;
  const [started, decided, ended] = [request.start, request.decided, request.end].map((one) =>
    heard<RequestMessage>(t, one),
  );
  const { fire, gateway, log } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ plugins: [join(import.meta.dirname, '../fixtures/plugins/odd-answers.js')] }),
    'triggers/echo.yaml': triggerFile('echo', { respond }),
    'triggers/broken.yaml': triggerFile('broken', { respond: { uses: 'odd-throws' } }),
  });
  t.equal((await fire('echo', {})).status, 202);
  const failed = await fire('broken', {});
  t.equal(failed.status, 500);
  await until(() => ended?.length === 2);
  t.strictSame(started, decided);
  t.strictSame(decided, ended);
  const requestId = failed.headers.get('x-request-id');
  t.match(decided?.[1], {
    ...{ requestId, project: 'support', trigger: 'broken', caller: 'website' },
    ...{ outcome: 'internal_error', code: 'internal_error', status: 500 },
  });
  t.match(
    await gateway.metrics.text('text'),
    /requests_total\{[^}]*trigger="broken",outcome="internal_error"[^}]*\} 1\n/,
  );
  await gateway.close();
  t.match(
    log.filter(({ fields }) => Object(fields).requestId === requestId && !('runId' in fields)),
    [{ level: 'error', message: 'request failed unexpectedly' }],
    'one line, which has the error',
  );
  t.notOk(log.some(({ message }) => message === 'more requests refused'));
});

t.test('commits of the engine are published while anyone listens', async (t) => {
  const { fire } = await startTestGateway(t, { ...durableFiles(), 'triggers/echo.yaml': triggerFile('echo') });
  t.equal((await fire('echo', {})).status, 200);
  const commits = heard<CommitMessage>(t, channels.commit);
  t.equal((await fire('echo', {})).status, 200);
  t.ok(commits.length > 0);
  t.ok(commits.every(({ operations, durationMs }) => operations >= 1 && durationMs > 0));
});
