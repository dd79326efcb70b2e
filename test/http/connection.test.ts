import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { basicFiles, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { patience } from '../support/patience.ts';

const path = '/api/v1.0/project/support/trigger/echo';
const key = `X-API-Key: ${secrets.website}`;
const json = 'Content-Type: application/json';

const files = (run: object = { uses: 'echo' }, server: object = {}, respond = 'wait') => ({
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ server }),
  'triggers/echo.yaml': triggerFile('echo', { run, respond: { uses: respond } }),
});

function socketOf(t: Test, { gateway }: TestGateway): Socket {
  const socket = connect(gateway.address.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  return socket;
}

const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const statuses = (received: string): readonly string[] => received.match(/HTTP\/1\.1 \d{3}/g) ?? [];

t.test('a client is invited to send its body only when its request has passed the gates', async (t) => {
  const gateway = await startTestGateway(t, files());
  const expecting = [`POST ${path} HTTP/1.1`, 'Host: x', 'Expect: 100-continue', json, 'Content-Length: 2'];

  await t.test('without a key it gets 401, no 100, and the connection is closed', async (t) => {
    const socket = socketOf(t, gateway);
    socket.write(head(...expecting));
    const received = await text(socket);
    t.strictSame(statuses(received), ['HTTP/1.1 401']);
    t.match(received, /^connection: close/im);
  });

  await t.test('with a key it gets 100, sends its body, and gets the answer', async (t) => {
    const socket = socketOf(t, gateway);
    socket.write(head(...expecting, key));
    const [invited] = await once(socket, 'data');
    t.strictSame(statuses(String(invited)), ['HTTP/1.1 100']);
    socket.write('{}');
    t.strictSame(statuses(String((await once(socket, 'data'))[0])), ['HTTP/1.1 200']);
    // The connection can be used again.
    socket.write(`${head(`POST ${path} HTTP/1.1`, 'Host: x', key, json, 'Content-Length: 2', 'Connection: close')}{}`);
    t.strictSame(statuses(await text(socket)), ['HTTP/1.1 200']);
  });
});

t.test('a request with two Host headers is refused', async (t) => {
  const gateway = await startTestGateway(t, files());
  for (const second of ['Host: b', 'host: a']) {
    const socket = socketOf(t, gateway);
    socket.write(head(`GET ${path} HTTP/1.1`, 'Host: a', second, key, 'Connection: close'));
    t.match(await text(socket), /^HTTP\/1\.1 400.*"code":"bad_request"/s, second);
  }
});

t.test('each request gets one response', async (t) => {
  await t.test('an early 401 is not followed by a 400 when the rest is no HTTP', async (t) => {
    const gateway = await startTestGateway(t, files());
    const socket = socketOf(t, gateway);
    socket.write(head(`POST ${path} HTTP/1.1`, 'Host: x', json, 'Transfer-Encoding: chunked'));
    const [first] = await once(socket, 'data');
    socket.write('no chunk\r\n\r\n');
    const received = String(first) + (await text(socket));
    t.strictSame(statuses(received), ['HTTP/1.1 401']);
  });

  await t.test('what is no HTTP after a request is not answered in the middle of its stream', async (t) => {
    const gateway = await startTestGateway(
      t,
      files({ uses: 'echo', with: { stream: true, delay: '5ms' } }, {}, 'stream'),
    );
    const socket = socketOf(t, gateway);
    const body = JSON.stringify({ instruction: 'one two three four five six seven eight' });
    const accept = 'Accept: text/event-stream';
    socket.write(
      `${head(`POST ${path} HTTP/1.1`, 'Host: x', key, json, accept, `Content-Length: ${body.length}`)}${body}`,
    );
    const [first] = await once(socket, 'data');
    socket.write('garbage garbage garbage\r\n\r\n');
    const received = String(first) + (await text(socket));
    t.strictSame(statuses(received), ['HTTP/1.1 200']);
    t.match(received, /event: done/);
  });

  await t.test('what is no HTTP on an idle connection gets a 400', async (t) => {
    const gateway = await startTestGateway(t, files());
    const socket = socketOf(t, gateway);
    socket.write(`${head(`POST ${path} HTTP/1.1`, 'Host: x', key, json, 'Content-Length: 2')}{}`);
    const [first] = await once(socket, 'data');
    socket.write('garbage garbage garbage\r\n\r\n');
    t.strictSame(statuses(String(first) + (await text(socket))), ['HTTP/1.1 200', 'HTTP/1.1 400']);
  });
});

t.test('the completion address does not reveal which runs exist', async (t) => {
  process.env.PULLCORD_TEST_COMPLETION = 'a-secret-of-the-tests-that-is-long-enough';
  t.teardown(() => {
    delete process.env.PULLCORD_TEST_COMPLETION;
  });
  const completion = { gateway: 'http://127.0.0.1:1', secrets: [{ env: 'PULLCORD_TEST_COMPLETION' }] };
  const run = { uses: 'http', with: { url: 'http://127.0.0.1:1/', detached: { completion } } };
  const gateway = await startTestGateway(t, files(run, { bodyLimit: '1KiB' }));
  const { runId } = (await gateway.fire('echo', {}, { headers: { prefer: 'respond-async' } })).body;
  const send = async (id: string, length: number) => {
    const socket = socketOf(t, gateway);
    const chunk = 'x'.repeat(length);
    socket.write(
      head(`POST ${path}/run/${id}/completion HTTP/1.1`, 'Host: x', 'Transfer-Encoding: chunked', 'Connection: close'),
    );
    socket.write(`${length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`);
    return (await text(socket)).replace(/"requestId":"[^"]*"|^date: .*$/gim, '');
  };
  const unknown = `${runId.slice(0, -4)}0000`;
  for (const length of [10, 2000]) {
    t.equal(await send(runId, length), await send(unknown, length), `a body of ${length} bytes`);
  }
});

t.test('a stream whose pieces are all ready does not keep others waiting', { timeout: patience(60_000) }, async (t) => {
  const gateway = await startTestGateway(t, files({ uses: 'echo', with: { stream: true } }));
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  const fired = gateway.fire('echo', { instruction: 'a '.repeat(20_000) });
  setImmediate(count);
  t.equal((await fired).status, 200);
  isOver = true;
  t.ok(turns >= 20_000 / 64, `the event loop turned ${turns} times`);
});
