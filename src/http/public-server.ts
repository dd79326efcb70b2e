import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server as NetServer } from 'node:net';
import type { Services } from './call.ts';
import type { ListeningServer } from './listener.ts';
import { bindOtherLoopback } from './other-loopback.ts';
import { codeOfClientError } from './protocol-errors.ts';
import { endConnection } from './reply.ts';
import { serve } from './serve.ts';

/** How often slow clients are looked for: the request timeout is exact to about a second. */
const connectionsCheckMs = 1000;
/** How long an idle connection stays open, in milliseconds: longer than most proxies keep theirs, which is a minute. */
const keepAliveMs = 72_000;

/**
 * The public listener. It knows no routes: each request looks up its trigger in the snapshot that is current when it
 * arrives, so that a reload changes nothing here. lifecycle.ts lists what happens to a request.
 */
export function createPublicServer(services: Services): ListeningServer {
  const nextRequestId = requestIdSource();
  const server = createServer({
    connectionsCheckingInterval: connectionsCheckMs,
    keepAliveTimeout: keepAliveMs,
    // Node would answer a request without Host by itself, without a body.
    requireHostHeader: false,
  });
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    // While it closes, requests on open connections are still answered; the engine says whether it accepts new runs.
    if (!server.listening) response.setHeader('connection', 'close');
    void serve(services, request, response, nextRequestId());
  };
  server.on('request', answer);
  // Node would also answer an unknown Expect without a body, and not answer CONNECT at all.
  server.on('checkExpectation', answer);
  server.on('connect', (_request, socket) => endConnection(socket, 'bad_request', nextRequestId()));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET') socket.destroy();
    else endConnection(socket, codeOfClientError(error), nextRequestId());
  });

  let others: readonly NetServer[] = [];
  return {
    server,
    async listen({ host, port }) {
      await once(server.listen({ host, port }), 'listening');
      if (host === 'localhost') others = await bindOtherLoopback(server);
    },
    async close() {
      for (const other of others) other.close();
      // A server that never listened reports that it is not running: then there is nothing to close.
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Unique without asking for randomness each time; a gateway that restarts never repeats the ids of another. */
function requestIdSource(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
