import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import { command } from '../support/command.ts';
import {
  basicFiles,
  configFolder,
  durable,
  gatewayFile,
  projectFile,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { serveFolder, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import { skipWithoutPostgres, startPostgres } from '../support/postgres.ts';
import { answerOf } from '../support/send.ts';

const secret = `whsec_${Buffer.from('the secret of the receiver, 32 b').toString('base64')}`;

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Receiver {
  readonly origin: string;
  readonly received: Received[];
  status: number;
}

async function startReceiver(t: Test): Promise<Receiver> {
  const received: Received[] = [];
  const receiver = { origin: '', received, status: 204 };
  receiver.origin = await listen(t, async (request, response) => {
    const body = await text(request);
    // The agent.
    if (request.url === '/agent') return void response.writeHead(400).end('hunter2 is down');
    received.push({ path: request.url ?? '', headers: request.headers, body });
    response.writeHead(receiver.status).end();
  });
  setVariable(t, 'ALERT_SECRET', secret);
  setVariable(t, 'SLACK_URL', `${receiver.origin}/services/hunter2`);
  return receiver;
}

function setVariable(t: Test, name: string, value: string): void {
  process.env[name] = value;
  t.teardown(() => delete process.env[name]);
}

const rule = { name: 'agents-fail', when: 'failures', minCount: 2 };

function filesOf({ origin }: Receiver, members: object = {}): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayOf(origin, members),
    'ask.yaml': triggerFile('ask', {
      run: { uses: 'http', with: { url: `${origin}/agent` } },
      respond: { uses: 'wait' },
    }),
  };
}

function gatewayOf(
  origin: string,
  { rules = [rule], ...members }: { rules?: readonly object[]; engine?: object } = {},
): string {
  return gatewayFile({
    alerts: {
      interval: '5m',
      to: [
        { name: 'oncall', url: `${origin}/hook`, secret: { env: 'ALERT_SECRET' } },
        { name: 'chat', format: 'slack', url: { env: 'SLACK_URL' } },
      ],
      rules,
    },
    ...members,
  });
}

async function evaluate({ gateway: { alerts } }: TestGateway): Promise<void> {
  await alerts.evaluate();
  await alerts.delivered();
}

const at = (received: readonly Received[], path: string) => received.filter((one) => one.path === path);

t.test('failed runs alert a receiver of Standard Webhooks and one of Slack, once each', async (t) => {
  const receiver = await startReceiver(t);
  const started = await startTestGateway(t, filesOf(receiver));
  await started.fire('ask', { prompt: 'a payload' });
  await evaluate(started);
  t.strictSame(receiver.received, [], 'one failure is too few');
  await started.fire('ask', { prompt: 'a payload' });
  await evaluate(started);
  await evaluate(started);
  t.equal(receiver.received.length, 2);

  const [standard] = at(receiver.received, '/hook');
  const message: unknown = new Webhook(secret).verify(standard?.body ?? '', { ...standard?.headers } as never);
  t.match(message, {
    type: 'alert.firing',
    data: {
      more: 0,
      revision: started.gateway.revision,
      alerts: [
        {
          name: 'agents-fail',
          kind: 'failures',
          about: 'support/ask',
          summary: 'support/ask: 2 of 2 runs failed (100%) within 10m',
          next: {
            command: 'pullcord runs list --state failed --trigger support/ask --since 1h',
            docs: 'docs/alerts.md#failures',
          },
        },
      ],
    },
  });
  const [slack] = at(receiver.received, '/services/hunter2');
  t.match(JSON.parse(slack?.body ?? ''), { text: /^\*Firing: agents-fail\*\nsupport\/ask: 2 of 2 runs failed/ });
  t.equal(slack?.headers['webhook-signature'], undefined);
  const everything = JSON.stringify([receiver.received.map(({ body }) => body), started.log]);
  t.notMatch(everything, /hunter2 is down|a payload|services\/hunter2/, 'neither payloads nor secrets');

  const { body } = await answerOf(await fetch(`${started.adminUrl}/alerts`));
  t.match(body, {
    alerts: [
      {
        name: 'agents-fail',
        state: 'firing',
        alerts: [{ about: 'support/ask', state: 'firing', value: 1 }],
        receivers: [
          { name: 'oncall', lastState: 'firing', result: 'delivered', status: 204, waiting: false },
          { name: 'chat', lastState: 'firing', result: 'delivered', status: 204 },
        ],
      },
    ],
  });
  const metrics = await (await fetch(`${started.adminUrl}/metrics`)).text();
  t.match(metrics, 'pullcord_alerts_firing{alert="agents-fail"} 1');
  t.match(metrics, 'pullcord_alert_attempts_failed_total 0');
});

t.test('a restart repeats no message, and the alert is resolved after it', async (t) => {
  const receiver = await startReceiver(t);
  const clock = { at: Date.now(), now: () => clock.at };
  const root = await configFolder(t, filesOf(receiver, { engine: durable }));
  const first = await serveFolder(t, root, { alertClock: clock });
  await first.fire('ask');
  await first.fire('ask');
  await evaluate(first);
  t.equal(receiver.received.length, 2);
  await first.gateway.close();
  const second = await serveFolder(t, root, { alertClock: clock });
  await evaluate(second);
  t.equal(receiver.received.length, 2);
  t.match(second.gateway.alerts.activeAlerts(), [{ name: 'agents-fail', state: 'firing' }]);
  clock.at += 11 * 60_000;
  await evaluate(second);
  t.strictSame(
    at(receiver.received, '/hook').map(({ body }) => JSON.parse(body).type),
    ['alert.firing', 'alert.resolved'],
  );
});

t.test('a receiver that was down during a restart gets the same message, by its id', async (t) => {
  const receiver = await startReceiver(t);
  receiver.status = 503;
  const clock = { at: Date.now(), now: () => clock.at };
  const root = await configFolder(t, filesOf(receiver, { engine: durable }));
  const first = await serveFolder(t, root, { alertClock: clock });
  await first.fire('ask');
  await first.fire('ask');
  await evaluate(first);
  await first.gateway.close();
  receiver.status = 200;
  const second = await serveFolder(t, root, { alertClock: clock });
  clock.at += 10_000;
  await evaluate(second);
  const ids = at(receiver.received, '/hook').map(({ headers }) => headers['webhook-id']);
  t.equal(ids.length, 2);
  t.equal(new Set(ids).size, 1);
});

t.test('a refused reload alerts after its time, and is resolved by a good one, which keeps states', async (t) => {
  const receiver = await startReceiver(t);
  const clock = { at: Date.now(), now: () => clock.at };
  const reload = { name: 'refused', when: 'reload' };
  const started = await startTestGateway(t, filesOf(receiver, { rules: [rule, reload] }), { alertClock: clock });
  await writeInto(started.root, 'broken.yaml', 'kind: Nothing');
  await started.gateway.reloader.reload();
  await evaluate(started);
  clock.at += 6 * 60_000;
  await evaluate(started);
  await evaluate(started);
  await writeInto(started.root, 'broken.yaml', projectFile('new'));
  t.match(await started.gateway.reloader.reload(), { ok: true });
  await evaluate(started);
  t.strictSame(
    at(receiver.received, '/hook').map(({ body }) => {
      const { type, data } = JSON.parse(body);
      return [type, data.alerts[0].name];
    }),
    [
      ['alert.firing', 'refused'],
      ['alert.resolved', 'refused'],
    ],
  );
});

t.test('a request that the full queue refuses alerts, also if there is room again at the evaluation', async (t) => {
  const receiver = await startReceiver(t);
  const files = filesOf(receiver, {
    rules: [{ name: 'full', when: 'queue' }],
    engine: { uses: 'memory', with: { maxQueued: 1 } },
  });
  const started = await startTestGateway(t, {
    ...files,
    'ask.yaml': triggerFile('ask', { run: { uses: 'echo', delay: '1h' }, respond: { uses: 'accepted' } }),
  });
  const { body } = await started.fire('ask', {});
  t.match(await started.fire('ask', {}), { status: 503, body: { code: 'unavailable' } });
  await fetch(`${started.adminUrl}/runs/${body.runId}/cancel`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  await evaluate(started);
  t.match(
    at(receiver.received, '/hook').map((one) => JSON.parse(one.body).data.alerts[0].summary),
    [/^the queue was full: 1 request refused within 1m; 0 runs of 1 queued$/],
  );
  t.match(
    started.log.filter(({ message }) => message === 'request failed'),
    [{ fields: { outcome: 'unavailable', reason: 'too many queued runs', trigger: 'ask' } }],
  );
});

t.test('the outbound guard applies to receivers, and a failing one fails nothing else', async (t) => {
  const receiver = await startReceiver(t);
  const started = await startTestGateway(t, filesOf(receiver, { outbound: { allow: [] } }));
  t.equal((await started.fire('ask')).status, 502);
  await started.fire('ask');
  await evaluate(started);
  t.strictSame(receiver.received, []);
  const { body } = await answerOf(await fetch(`${started.adminUrl}/alerts`));
  t.match(body, { alerts: [{ receivers: [{ result: 'failed', status: null, waiting: true }, {}] }] });
  t.notMatch(JSON.stringify([body, started.log]), 'hunter2');
});

t.test('a config whose receiver lacks its secret is refused', async (t) => {
  const receiver = await startReceiver(t);
  delete process.env.SLACK_URL;
  const root = await configFolder(t, filesOf(receiver));
  const validated = await command(t, ['validate', '--config', root], { env: { ALERT_SECRET: secret } });
  t.match(validated, { code: 0, stdout: /gateway\.yaml.*missing_secret.*SLACK_URL/s });
  await t.rejects(serveFolder(t, root), /missing_secret.*\/alerts\/to\/1\/url/s);
});

t.test('alerts are listed and tested by command', async (t) => {
  const receiver = await startReceiver(t);
  const started = await startTestGateway(t, filesOf(receiver));
  const admin = ['--admin-url', started.adminUrl];
  t.match(await command(t, ['alerts', ...admin]), { code: 0, stdout: /agents-fail +inactive/ });
  t.match(await command(t, ['alerts', 'test', 'agents-fail', ...admin]), { code: 0, stdout: /chat +delivered +204/ });
  t.match(JSON.parse(at(receiver.received, '/hook')[0]?.body ?? ''), {
    type: 'alert.test',
    data: { alerts: [{ name: 'agents-fail', summary: 'this is a test: nothing is wrong' }] },
  });
  receiver.status = 500;
  const failed = await command(t, ['alerts', 'test', 'agents-fail', '--json', ...admin]);
  t.equal(failed.code, 1);
  t.match(JSON.parse(failed.stdout), { receivers: [{ name: 'oncall', result: 'failed', status: 500 }, {}] });
  t.match(await command(t, ['alerts', 'test', 'agent-fail', ...admin]), { code: 1, stderr: /there is no alert/ });
  await started.fire('ask');
  await started.fire('ask');
  await evaluate(started);
  const listed = await command(t, ['alerts', 'list', '--json', ...admin]);
  t.match(JSON.parse(listed.stdout), { alerts: [{ name: 'agents-fail', state: 'firing' }] });
});

t.test('on one PostgreSQL, one node evaluates what all have counted', { skip: skipWithoutPostgres }, async (t) => {
  const receiver = await startReceiver(t);
  const server = await startPostgres(t);
  setVariable(t, 'DATABASE_URL', await server.createDatabase());
  const engine = { uses: 'postgres', with: { url: { env: 'DATABASE_URL' } } };
  const root = await configFolder(t, filesOf(receiver, { engine, rules: [{ ...rule, minCount: 4 }] }));
  const nodes: TestGateway[] = [];
  for (const name of ['blue', 'green']) {
    setVariable(t, 'PULLCORD_NODE', name);
    nodes.push(await serveFolder(t, root));
  }
  for (const node of nodes) for (const body of ['one', 'two']) await node.fire('ask', { body });
  // In either order the leader sees what the other has published.
  for (const node of [...nodes, ...nodes]) await evaluate(node);
  const messages = at(receiver.received, '/hook').map(({ body }) => JSON.parse(body));
  t.match(messages, [{ type: 'alert.firing', data: { alerts: [{ summary: /4 of 4 runs failed/ }] } }]);
  t.equal(messages.length, 1);
  for (const { gateway } of nodes) t.match(gateway.alerts.activeAlerts(), [{ name: 'agents-fail', state: 'firing' }]);
});
