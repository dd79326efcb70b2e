import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { Lingering } from '../../src/http/lingering.ts';
import { patience } from '../support/patience.ts';

const hour = 3_600_000;
const ample = { connections: 100, bytesEach: 1e9, silentMs: hour, totalMs: hour };

/** A server that closes each connection at once with an answer, and a client for it that stays. */
async function lingeringServer(t: Test, limits: Partial<typeof ample>) {
  const lingering = new Lingering({ ...ample, ...limits });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    served.push(socket);
    lingering.close(socket, 'answer');
  });
  const served: Socket[] = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of served) socket.destroy();
    server.close();
  });
  const { port } = Object(server.address());
  return {
    lingering,
    /** A connection that has received the whole answer, by its two ends. */
    async client(localAddress = '127.0.0.1') {
      const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
      t.teardown(() => socket.destroy());
      socket.on('error', () => {});
      const [answer] = await once(socket, 'data');
      t.equal(String(answer), 'answer');
      if (!socket.readableEnded) await once(socket, 'end');
      // Clients of several addresses may have the same port.
      const end = served.find(
        ({ remotePort, remoteAddress }) => remotePort === socket.localPort && remoteAddress === localAddress,
      );
      if (end === undefined) throw new Error('no such connection');
      return { socket, end };
    },
  };
}

const closed = ({ end }: { end: Socket }) => (end.closed ? undefined : once(end, 'close'));
const limit = { timeout: patience(10_000) };

t.test('a connection lingers until its client closes it, and what arrives meanwhile is discarded', limit, async (t) => {
  const { lingering, client } = await lingeringServer(t, {});
  const one = await client();
  await new Promise((resolve) => one.socket.write(Buffer.alloc(1_000_000), resolve));
  t.equal(lingering.count, 1);
  lingering.close(one.end, 'a second answer');
  t.equal(lingering.count, 1);
  one.socket.end();
  await closed(one);
  t.equal(one.end.bytesRead, 1_000_000);
  t.equal(one.end.bytesWritten, 'answer'.length);
  t.equal(lingering.count, 0);
});

t.test('a connection that lingers is cut when its client sends more than it may', limit, async (t) => {
  const { lingering, client } = await lingeringServer(t, { bytesEach: 1000 });
  const one = await client();
  one.socket.write(Buffer.alloc(1000));
  while (one.end.bytesRead < 1000) await once(one.end, 'data');
  t.equal(one.end.destroyed, false);
  one.socket.write('x');
  await closed(one);
  t.equal(lingering.count, 0);
});

for (const [what, times] of [
  ['has been silent for long', { silentMs: 20 }],
  ['has lingered for long', { totalMs: 20 }],
] as const) {
  t.test(`a connection is cut when it ${what}`, limit, async (t) => {
    const { lingering, client } = await lingeringServer(t, times);
    await closed(await client());
    t.equal(lingering.count, 0);
  });
}

t.test('of too many connections, the oldest of the address that has the most is cut', limit, async (t) => {
  const { lingering, client } = await lingeringServer(t, { connections: 4 });
  const single = await client('127.0.0.2');
  const flood = [await client(), await client(), await client()];
  const cut = flood.map((one) => once(one.end, 'close'));
  t.equal(lingering.count, 4);
  const other = await client('127.0.0.3');
  await cut[0];
  const more = await client();
  await cut[1];
  t.equal(lingering.count, 4);
  t.strictSame(
    [single, ...flood, other, more].map(({ end }) => end.destroyed),
    [false, true, true, false, false, false],
  );
});

t.test('however many connections linger, no more than the limit are open', limit, async (t) => {
  const { lingering, client } = await lingeringServer(t, { connections: 10 });
  const all = await Promise.all(Array.from({ length: 200 }, (_, index) => client(`127.0.0.${1 + (index % 7)}`)));
  t.equal(lingering.count, 10);
  t.equal(all.filter(({ end }) => !end.destroyed).length, 10);
});
