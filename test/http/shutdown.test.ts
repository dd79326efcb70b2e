import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { startCommand } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, secrets, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { answerOf } from '../support/send.ts';

/** An agent that answers when the test says so. */
async function startAgent(t: Test) {
  const waiting: ServerResponse[] = [];
  const agent = createServer((_request, response) => {
    waiting.push(response);
    agent.emit('waiting');
  });
  t.teardown(() => agent.close().closeAllConnections());
  agent.listen(0, '127.0.0.1');
  await once(agent, 'listening');
  const { port } = agent.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    asked: async (count: number) => {
      while (waiting.length < count) await once(agent, 'waiting');
    },
    answer: () => {
      for (const response of waiting) response.setHeader('content-type', 'application/json').end('"done"');
    },
  };
}

function files(agent: string): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server: { shutdownDelay: '1h' } }),
    'echo.yaml': triggerFile('echo'),
    'stream.yaml': triggerFile('stream', {
      run: { uses: 'echo', with: { stream: true } },
      respond: { uses: 'stream' },
    }),
    'agent.yaml': triggerFile('agent', { run: { uses: 'http', with: { url: agent } } }),
  };
}

function requestTo(key: string): string {
  return [
    `POST /api/v1.0/project/support/trigger/${key} HTTP/1.1`,
    ...['Host: gateway', `X-API-Key: ${secrets.website}`, 'Content-Length: 0', '', ''],
  ].join('\r\n');
}

const readiness = async ({ adminUrl }: TestGateway) => answerOf(await fetch(`${adminUrl}/readyz`));
const headsIn = (received: string) => received.match(/HTTP\/1\.1 \d+.*?\r\n\r\n/gs) ?? [];

t.test('a gateway that is to stop fails /readyz first, and still serves', async (t) => {
  const agent = await startAgent(t);
  const started = await startTestGateway(t, files(agent.url));
  const { gateway, fire, root } = started;
  t.equal((await readiness(started)).status, 200);
  t.not((await fire('echo', {})).headers.get('connection'), 'close');
  const hurry = new AbortController();
  const delay = gateway.announceStop(hurry.signal);
  const stopping = await readiness(started);
  t.equal(stopping.status, 503);
  t.strictSame(stopping.body, { status: 'stopping' });
  t.equal((await answerOf(await fetch(`${started.adminUrl}/livez`))).status, 200);

  for (const key of ['echo', 'unknown']) {
    const answer = await fire(key, {});
    t.equal(answer.status, key === 'echo' ? 200 : 404);
    t.equal(answer.headers.get('connection'), 'close');
  }

  await t.test('a stream ends its connection too', async (t) => {
    const socket = connect(gateway.address.port, '127.0.0.1');
    socket.write(requestTo('stream'));
    const received = await text(socket);
    t.match(received, /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n.*event: done/is);
  });

  await t.test('a reload does not make it ready again', async (t) => {
    await writeInto(root, 'more.yaml', triggerFile('more'));
    t.ok((await gateway.reloader.reload()).ok);
    t.equal((await fire('more', {})).status, 200);
    t.equal((await readiness(started)).status, 503);
  });

  // A second signal ends the delay.
  hurry.abort();
  await delay;
  await gateway.close();
  await t.rejects(fire('echo', {}));
});

t.test('what was asked before the gateway was to stop is answered, and ends its connection', async (t) => {
  const agent = await startAgent(t);
  const { gateway } = await startTestGateway(t, files(agent.url));
  const { port } = gateway.address;
  const [alone, pipelined] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  alone.write(requestTo('agent'));
  pipelined.write(requestTo('agent') + requestTo('agent'));
  await agent.asked(3);
  const hurry = new AbortController();
  t.teardown(() => hurry.abort());
  void gateway.announceStop(hurry.signal);
  agent.answer();
  const ofOne = headsIn(await text(alone));
  t.equal(ofOne.length, 1);
  t.match(ofOne[0], /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is);
  // The first must not end the connection: the second has been accepted.
  const ofTwo = headsIn(await text(pipelined));
  t.equal(ofTwo.length, 2);
  t.match(ofTwo[0], /^HTTP\/1\.1 200 /);
  t.notMatch(ofTwo[0], /connection: close/i);
  t.match(ofTwo[1], /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is);
});

t.test('without server.shutdownDelay there is no delay', async (t) => {
  const started = await startTestGateway(t, basicFiles());
  t.equal(started.gateway.shutdownDelayMs, 0);
  await started.gateway.announceStop();
  t.equal((await readiness(started)).status, 503);
});

t.test('the first SIGTERM begins server.shutdownDelay, a second one ends it', async (t) => {
  const root = await configFolder(t, { ...files('http://127.0.0.1:1/') });
  const child = startCommand(t, ['serve', '--config', root]);
  const lines: { msg: string; url?: string; admin?: string }[] = [];
  const reader = createInterface(child.stderr ?? process.stdin);
  const logged = async (message: RegExp) => {
    for (;;) {
      const found = lines.find(({ msg }) => message.test(msg));
      if (found !== undefined) return found;
      await once(reader, 'line');
    }
  };
  reader.on('line', (line) => void lines.push(JSON.parse(line)));
  const { url, admin } = await logged(/^serving$/);
  child.kill('SIGTERM');
  t.match(await logged(/readyz/), { signal: 'SIGTERM', shutdownDelayMs: 3_600_000 });
  t.equal((await fetch(`${admin}/readyz`)).status, 503);
  const answer = await fetch(`${url}/api/v1.0/project/support/trigger/echo`, {
    method: 'POST',
    headers: { 'x-api-key': secrets.website },
  });
  t.equal(answer.status, 200);
  t.equal(answer.headers.get('connection'), 'close');
  t.notOk(lines.some(({ msg }) => /no new requests/.test(msg)));
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await logged(/no new requests/);
  t.strictSame(await ended, [0, null]);
});
