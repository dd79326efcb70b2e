import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import type { ProblemCode } from '../contract/index.ts';
import type { Services } from './call.ts';
import type { Lingering } from './lingering.ts';
import type { ListeningServer } from './listener.ts';
import { bindOtherLoopback } from './other-loopback.ts';
import { codeOfClientError } from './protocol-errors.ts';
import { rawProblem } from './reply.ts';
import { requestIds } from './request-id.ts';
import { publishProtocolError } from './request-message.ts';
import { serve } from './serve.ts';

/** How often slow clients are looked for: the request timeout is exact to about a second. */
const connectionsCheckMs = 1000;
/** How long an idle connection stays open, in milliseconds: longer than most proxies keep theirs, which is a minute. */
const keepAliveMs = 72_000;

/**
 * The public listener. It knows no routes: each request looks up its trigger in the snapshot that is current when it
 * arrives, so that a reload changes nothing here. lifecycle.ts lists what happens to a request.
 */
export function createPublicServer(services: Services, lingering: Lingering): ListeningServer {
  const requestIdOf = requestIds();
  const trust = () => services.live.current.config.server;
  const server = createServer({
    connectionsCheckingInterval: connectionsCheckMs,
    keepAliveTimeout: keepAliveMs,
    // Node would answer a request without Host by itself, without a body.
    requireHostHeader: false,
    // Otherwise the second Host, Authorization or Content-Type of a request would be ignored; another server may take that one.
    joinDuplicateHeaders: true,
  });
  // Otherwise a client that closes its side after a request would get no answer, and send an accepted request again.
  Object.assign(server, { httpAllowHalfOpen: true });
  lingering.serve(server);
  /** The latest request on each connection. */
  const latest = new WeakMap<Socket, Answering>();
  // While it closes, requests on open connections are still answered; the engine says whether it accepts new runs. A response that
  // ended a connection with another request on it would leave that without one.
  const mayBeLast = (response: ServerResponse): boolean =>
    (services.shutdown.isAnnounced || !server.listening) && latest.get(response.req.socket)?.response === response;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = requestIdOf(request, trust());
    latest.set(request.socket, { response, requestId });
    void serve(services, request, response, requestId, mayBeLast);
  };
  server.on('request', answer);
  // Node would also answer an unknown Expect without a body, and not answer CONNECT at all.
  server.on('checkExpectation', answer);
  // Node would invite the body before its request has passed the gates.
  server.on('checkContinue', answer);
  const refuse = (socket: Socket, code: ProblemCode, reason: string, requestId: string): void => {
    publishProtocolError(services.gateway, socket, { requestId, code, reason });
    lingering.close(socket, rawProblem(code, requestId));
  };
  server.on('connect', (request) => refuse(request.socket, 'bad_request', 'CONNECT', requestIdOf(request, trust())));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const { response, requestId } = latest.get(socket) ?? {};
    if (error.code === 'ECONNRESET') socket.destroy();
    else if (response === undefined || mayAnswer(response)) {
      // A body that breaks off belongs to a request, which has an id; what follows a whole request has none.
      const isOfRequest = response !== undefined && !response.req.complete && requestId !== undefined;
      const id = isOfRequest ? requestId : requestIdOf(undefined, trust());
      refuse(socket, codeOfClientError(error), error.code ?? '', id);
    }
    // A second response would end up in the middle of this one, or answer the same request again.
    else closeAfter(response, () => lingering.close(socket));
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

/** A request that is answered, and the id that its answer names. */
interface Answering {
  readonly response: ServerResponse;
  readonly requestId: string;
}

/**
 * Whether an error on the connection is to be answered: it belongs to a request that has no response yet, or to what
 * follows a request and its response.
 */
function mayAnswer({ req, headersSent, writableFinished }: ServerResponse): boolean {
  return req.complete ? writableFinished : !headersSent;
}

/** Closes a connection once the response on it has been sent: what arrives is no HTTP any longer. */
function closeAfter(response: ServerResponse, close: () => void): void {
  if (response.writableFinished) close();
  else response.once('finish', close);
}
