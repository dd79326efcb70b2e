import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import t, { type Test } from 'tap';
import { readBody } from '../../src/http/read-body.ts';
import { patience } from '../support/patience.ts';

const unlimited = { bytes: Infinity, resize: () => true };

/** A request of which this much has been sent, and the connection that it came by. */
async function requestOf(t: Test, body: string, length: number) {
  const server = createServer(() => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n${body}`);
  const [request] = (await once(server, 'request')) as [IncomingMessage];
  return { request, socket };
}

t.test('readBody returns the bytes of a body up to the limit, and refuses a larger one', async (t) => {
  const read = await readBody((await requestOf(t, 'body', 4)).request, 4, unlimited);
  t.match(read, { ok: true, bytes: Buffer.from('body') });
  t.strictSame(await readBody((await requestOf(t, 'body', 4)).request, 3, unlimited), { ok: false, why: 'too_large' });
});

t.test(
  'readBody ends when the client disconnects, before or while it reads',
  { timeout: patience(10_000) },
  async (t) => {
    const early = await requestOf(t, 'bo', 4);
    const reading = readBody(early.request, 4, unlimited);
    early.socket.destroy();
    t.strictSame(await reading, { ok: false, why: 'broken_off' });
    const late = await requestOf(t, 'bo', 4);
    const closed = new Promise((resolve) => late.request.on('error', () => {}).on('close', resolve));
    late.socket.destroy();
    await closed;
    t.strictSame(await readBody(late.request, 4, unlimited), { ok: false, why: 'broken_off' });
  },
);
