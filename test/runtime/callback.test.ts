import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import { type CallbackMessage, channels, type ObservedGateway, type OutboundClient } from '../../src/contract/index.ts';
import { newRun } from '../../src/engine/conformance/harness.ts';
import { queuedRecord } from '../../src/engine/execution/records.ts';
import type { RunRecord } from '../../src/engine/types/index.ts';
import { createOutboundClient } from '../../src/host/outbound/client.ts';
import { OutboundGuard } from '../../src/host/outbound/guard.ts';
import { RunLog } from '../../src/observe/run-log.ts';
import { sendCallback } from '../../src/runtime/callback.ts';
import { passingOn } from '../../src/runtime/tracing/tracer.ts';
import { parseOutboundTarget } from '../../src/schema/outbound-target.ts';

import { durable, durableFiles, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { type LogLine, recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

const secret = `whsec_${Buffer.from('the secret of the receiver, 32 b').toString('base64')}`;

interface Told {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function startReceiver(
  t: Test,
  answer: (response: ServerResponse, url: string) => void = (response) => response.end(),
): Promise<{ port: number; url: string; told: Told[] }> {
  const told: Told[] = [];
  const server = createServer(async (request, response) => {
    told.push({ headers: request.headers, body: await text(request) });
    answer(response, request.url ?? '');
  });
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { port: address.port, url: `http://127.0.0.1:${address.port}/hook?token=hunter2`, told };
}

function guardOf(allow: readonly string[], resolve?: ConstructorParameters<typeof OutboundGuard>[1]): OutboundGuard {
  const targets = allow.flatMap((entry) => parseOutboundTarget(entry) ?? []);
  return new OutboundGuard(() => targets, resolve);
}

function clientOf(t: Test, guard: OutboundGuard): OutboundClient {
  const client = createOutboundClient(guard, { connections: 4, maxResponseBytes: 1024 });
  t.teardown(() => client.close());
  return client;
}

const run: RunRecord = {
  ...queuedRecord(newRun({ clock: { now: () => 1_700_000_000_000, advance() {} } })),
  state: 'succeeded',
  attempt: 1,
  finishedAt: 1_700_000_001_000,
  output: { answer: 42 },
};

t.test('a callback is signed and sent after a run ends, even with record: none', async (t) => {
  process.env.PULLCORD_TEST_CALLBACK = secret;
  t.teardown(() => delete process.env.PULLCORD_TEST_CALLBACK);
  const { port, url, told } = await startReceiver(t);
  const callback = { url, secret: { env: 'PULLCORD_TEST_CALLBACK' } };
  const { fire, log } = await startTestGateway(t, {
    ...durableFiles(),
    'gateway.yaml': gatewayFile({
      engine: durable,
      outbound: { allow: [`127.0.0.1:${port}`] },
      defaults: { callback },
    }),
    'triggers/echo.yaml': triggerFile('echo', { record: 'none' }),
    'triggers/failing.yaml': triggerFile('failing', { run: { uses: 'command', with: { argv: ['false'] } } }),
  });
  const succeeded = (await fire('echo', { sessionId: 'a' })).body;
  await until(() => told.length === 1);
  const failed = (await fire('failing', {})).body;
  await until(() => told.length === 2);
  const events = told.map(({ headers, body }) => new Webhook(secret).verify(body, headers as Record<string, string>));
  t.match(events, [
    {
      type: 'run.succeeded',
      data: { runId: succeeded.runId, trigger: 'echo', sessionId: 'a', output: { sessionId: 'a' } },
    },
    { type: 'run.failed', data: { runId: failed.runId, status: 'failed', error: { message: String } } },
  ]);
  t.strictSame(
    told.map(({ headers }) => headers['webhook-id']),
    [succeeded, failed].map(({ runId }) => `run_${runId}`),
  );
  t.throws(
    () => new Webhook('whsec_b3RoZXI=').verify(told[0]?.body ?? '', Object(told[0]?.headers)),
    'another secret does not verify',
  );
  t.notMatch(JSON.stringify(log), /hunter2|whsec_/);
});

t.test('a callback is retried on its schedule and by Retry-After, but never after a 410', async (t) => {
  const answers: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(500).end(),
    (response) => response.writeHead(503, { 'retry-after': '7200' }).end(),
    (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
    (response) => response.destroy(),
    () => {},
    (response) => response.writeHead(400).end('x'.repeat(1_000_000)),
    (response) => response.writeHead(410).end(),
    (response) => response.writeHead(500).end(),
  ];
  const { port, url, told } = await startReceiver(t, (response) => answers.shift()?.(response));
  const lines: LogLine[] = [];
  const gateway = observed(t, lines);
  const client = clientOf(t, guardOf([`127.0.0.1:${port}`]));
  const send = (attempt: number) =>
    sendCallback(run, { url, secret: 'any other text' }, attempt, new AbortController().signal, {
      client,
      gateway,
      tracer: passingOn,
      timeoutMs: 200,
    });
  const between = (delay: number | undefined, least: number, most: number) =>
    t.ok(delay !== undefined && delay >= least && delay <= most, `${delay}`);
  between(await send(1), 4000, 6000);
  t.equal(await send(1), 7_200_000);
  between(await send(2), 240_000, 360_000);
  between(await send(3), 1_440_000, 2_160_000);
  between(await send(1), 4000, 6000);
  between(await send(9), 69_000_000, 104_000_000);
  t.equal(await send(1), undefined, 'gone');
  t.equal(await send(10), undefined, 'given up');
  t.equal(told.length, 8, 'no redirect was followed');
  t.equal(new Set(told.map(({ headers }) => headers['webhook-id'])).size, 1);
  t.strictSame(lines.map(({ level, message }) => `${level} ${message}`).slice(-2), [
    'warn callback receiver is gone (410); not retried',
    'error callback failed for the last time; giving up',
  ]);
  t.notMatch(JSON.stringify(lines), /hunter2|any other text/);
});

t.test('a callback that the stop of the gateway cuts short ends as released, whichever attempt it is', async (t) => {
  const stopping = new AbortController();
  const { port, url } = await startReceiver(t, () => stopping.abort());
  const lines: LogLine[] = [];
  const gateway = observed(t, lines);
  const results: unknown[] = [];
  const hear = (message: CallbackMessage) => void results.push([message.result, message.failure, message.retryInMs]);
  channels.callback.end.subscribe(hear);
  t.teardown(() => channels.callback.end.unsubscribe(hear));
  const client = clientOf(t, guardOf([`127.0.0.1:${port}`]));
  for (const attempt of [1, 10]) {
    await sendCallback(run, { url, secret }, attempt, stopping.signal, { client, gateway, tracer: passingOn });
  }
  t.strictSame(results, [
    ['released', undefined, undefined],
    ['released', undefined, undefined],
  ]);
  t.strictSame(lines, [], 'nothing has failed');
});

/** A gateway whose callbacks are logged. */
function observed(t: Test, lines: LogLine[]): ObservedGateway {
  const gateway = { node: 'one' };
  const log = new RunLog(recordingLog(lines), gateway);
  t.teardown(() => log.close());
  return gateway;
}

t.test('outbound.allow', async (t) => {
  const guard = guardOf(['10.1.0.0/16', 'localhost:81', '[::1]:82', '192.168.7.7', 'fd00::/8']);
  const isOpen = (t: Test, host: string) => {
    try {
      guard.passageTo(new URL(`http://${host}/`));
      return true;
    } catch (error) {
      t.match(error, { code: 'ERR_OUTBOUND_FORBIDDEN' });
      return false;
    }
  };
  const closed = [
    ...['127.0.0.1', '2130706433', '0x7f.1', '017700000001', '127.1', '10.0.0.1', '172.16.0.1', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '198.18.0.1', '192.0.2.1', '[::1]'],
    ...[
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:a9fe:a9fe]',
      '[fe80::1]',
      '[fc00::1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
    ],
  ];
  for (const host of closed) t.test(`SSRF: a callback to ${host} is refused`, async (t) => t.notOk(isOpen(t, host)));
  for (const host of [
    '93.184.216.34',
    '[2606:2800:220:1:248:1893:25c8:1946]',
    '10.1.2.3',
    '192.168.7.7',
    '[fd00::1]',
    '[::1]:82',
  ]) {
    t.test(`a callback to ${host} is allowed`, async (t) => t.ok(isOpen(t, host)));
  }
});

t.test('SSRF: a host name is checked by the addresses that it resolves to', async (t) => {
  const { port, told } = await startReceiver(t);
  const answers = [['127.0.0.1'], ['10.0.0.1', '127.0.0.1'], ['10.0.0.1']];
  // biome-ignore lint/suspicious/noExplicitAny: of the overloads of dns.lookup only one is asked.
  const resolve: any = (_name: string, _options: object, done: (error: null, addresses: object[]) => void) =>
    done(
      null,
      (answers.shift() ?? []).map((address) => ({ address, family: 4 })),
    );
  const failures: unknown[] = [];
  for (const allow of ['10.9.9.9', '127.0.0.0/8', '127.0.0.0/8']) {
    const client = clientOf(t, guardOf([allow], resolve));
    const lines: LogLine[] = [];
    const url = `http://receiver.example:${port}/`;
    const gateway = observed(t, lines);
    await sendCallback(run, { url, secret }, 1, new AbortController().signal, { client, gateway, tracer: passingOn });
    failures.push(Object(lines[0]?.fields).failure);
  }
  t.strictSame(failures, ['ERR_OUTBOUND_FORBIDDEN', undefined, 'ERR_OUTBOUND_FORBIDDEN']);
  t.equal(told.length, 1, 'only the allowed address was connected to');
});

t.test('a reload of outbound.allow allows another callback target', async (t) => {
  process.env.PULLCORD_TEST_CALLBACK = secret;
  t.teardown(() => delete process.env.PULLCORD_TEST_CALLBACK);
  const { port, url, told } = await startReceiver(t);
  const callback = { url, secret: { env: 'PULLCORD_TEST_CALLBACK' } };
  const { fire, log, root, gateway } = await startTestGateway(t, {
    ...durableFiles(),
    'gateway.yaml': gatewayFile({ engine: durable, outbound: { allow: [] } }),
    'triggers/echo.yaml': triggerFile('echo', { callback }),
  });
  await fire('echo', {});
  await until(() => log.some(({ fields }) => Object(fields).failure === 'ERR_OUTBOUND_FORBIDDEN'));
  await writeInto(root, 'gateway.yaml', gatewayFile({ engine: durable, outbound: { allow: [`127.0.0.1:${port}`] } }));
  await gateway.reloader.reload();
  await fire('echo', {});
  await until(() => told.length === 1);
});
