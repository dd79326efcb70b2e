import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer, type Server as NetServer } from 'node:net';

/**
 * `localhost` is 127.0.0.1 and ::1, and a server binds one of them. Binds the others on the same port and hands their
 * connections to the server, so that clients reach it whichever they try. An address that cannot be bound is left out.
 */
export async function bindOtherLoopback(server: Server): Promise<readonly NetServer[]> {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return [];
  const others: NetServer[] = [];
  for (const { address } of await lookup('localhost', { all: true })) {
    if (address === bound.address) continue;
    // As node:http has it: it ends a connection whose client has closed its side once the answer is sent.
    const other = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket));
    try {
      await once(other.listen({ host: address, port: bound.port }), 'listening');
      others.push(other);
    } catch {
      other.close();
    }
  }
  return others;
}
