import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startSwallowingProxy } from './support/swallowing-proxy.ts';
import { until } from './support/until.ts';

/** A server that answers each byte, behind a proxy; `got` is what it has received. */
async function startEcho(t: Test) {
  const got: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.setEncoding('utf8').on('data', (text: string) => {
      got.push(text);
      socket.write(`${text}!`);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const proxy = await startSwallowingProxy(t, (server.address() as AddressInfo).port);
  const dial = async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    const answers: string[] = [];
    socket.setEncoding('utf8').on('data', (text: string) => answers.push(text));
    socket.on('error', () => undefined);
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return { socket, answers };
  };
  return { proxy, got, sockets, dial };
}

t.test('a proxy passes bytes on, and cuts', async (t) => {
  const { proxy, got, dial } = await startEcho(t);
  const { socket, answers } = await dial();
  socket.write('a');
  await until(() => answers.join('') === 'a!');
  t.same(got, ['a']);
  proxy.cut();
  await once(socket, 'close');
  const again = await dial();
  again.socket.write('b');
  await until(() => again.answers.join('') === 'b!');
});

t.test('a connection that was swallowed stays silent, and new ones pass once it is over', async (t) => {
  const { proxy, got, sockets, dial } = await startEcho(t);
  const old = await dial();
  await until(() => sockets.size === 1);
  proxy.swallow();
  old.socket.write('a');
  const during = await dial();
  during.socket.write('b');
  old.socket.destroy();
  await once(old.socket, 'close');
  t.equal([...sockets].filter(({ destroyed }) => !destroyed).length, sockets.size, 'the server does not know');
  proxy.resume();
  const fresh = await dial();
  fresh.socket.write('c');
  await until(() => fresh.answers.join('') === 'c!');
  t.same(got, ['c']);
  t.same([...old.answers, ...during.answers], []);
  t.notOk(during.socket.destroyed);
});

t.test('what was held arrives once it is over, even of a client that has gone', async (t) => {
  const { proxy, got, dial } = await startEcho(t);
  const [one, other] = [await dial(), await dial()];
  for (const { socket, answers } of [one, other]) {
    socket.write('0');
    await until(() => answers.length === 1);
  }
  proxy.hold();
  one.socket.write('a');
  other.socket.write('b');
  await new Promise<void>((resolve) => one.socket.end(resolve));
  one.socket.destroy();
  await once(one.socket, 'close');
  t.same(got, ['0', '0']);
  proxy.resume();
  await until(() => got.length === 4);
  t.same(got.toSorted(), ['0', '0', 'a', 'b']);
  await until(() => other.answers.join('') === '0!b!');
});

t.test('delayed bytes arrive later and in order', async (t) => {
  const { proxy, got, dial } = await startEcho(t);
  const { socket, answers } = await dial();
  proxy.delay(20);
  socket.write('a');
  await until(() => got.length === 1);
  proxy.delay(0);
  socket.write('b');
  await until(() => answers.join('').replaceAll('!', '') === 'ab');
});
