import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, request as requestTo, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { problem } from '../../contract/index.ts';
import { adminHeaders, peerHeader } from '../../http/admin-headers.ts';
import { clientIp } from '../../http/client-ip.ts';
import { codeOfClientError } from '../../http/protocol-errors.ts';
import { rawProblem, writeReply } from '../../http/reply.ts';
import { acceptedFormat } from '../../observe/exposition.ts';
import type { Workers } from './workers.ts';

/**
 * The admin listener of several processes. Each has one of its own on a socket, which checks the request as if it were alone;
 * here requests are passed on: those that concern all processes to all of them, others to one.
 */
export function createSharedAdmin(workers: Pick<Workers, 'sockets' | 'metrics'>): Server {
  // What is wrong with a request is for the process to say.
  const server = createServer({ requireHostHeader: false, requestTimeout: 10_000 }, (request, response) => {
    void answer(workers, request, response).catch(() => response.destroy());
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else socket.end(rawProblem(codeOfClientError(error), randomUUID(), adminHeaders));
  });
  return server;
}

async function answer(
  workers: Pick<Workers, 'sockets' | 'metrics'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = ''] = (request.url ?? '').split('?', 1);
  const { sockets } = workers;
  const [one] = sockets;
  if (one === undefined) return refuse(response);
  if (!concernsAll(request.method, path)) return pass(one, request, response);
  request.resume();
  const answers = (await Promise.all(sockets.map((socket) => ask(socket, request)))).filter((one) => one !== undefined);
  // Ready means that every process is that serves at all; one that is being replaced gets no requests.
  const worst = answers.toSorted((one, other) => other.status - one.status)[0];
  if (worst === undefined) return refuse(response);
  const isMerged = path === '/metrics' && worst.status === 200;
  const body = isMerged ? Buffer.from(await workers.metrics(acceptedFormat(request.headers.accept))) : worst.body;
  const { 'transfer-encoding': _chunked, connection: _connection, ...headers } = worst.headers;
  response.writeHead(worst.status, { ...headers, 'content-length': body.length });
  response.end(body);
}

function concernsAll(method: string | undefined, path: string): boolean {
  return (
    (method === 'GET' && (path === '/readyz' || path === '/metrics')) ||
    (method === 'POST' && path === '/config/reload')
  );
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** The answer of one process to a request without a body; undefined if it has ended. */
function ask(socketPath: string, request: IncomingMessage): Promise<Answer | undefined> {
  const { method, url, headers } = request;
  const passed = passedHeaders(request);
  const { 'content-length': _length, 'transfer-encoding': _chunked, connection: _connection, ...others } = headers;
  return new Promise((resolve) => {
    const asked = requestTo(
      { socketPath, method, path: url, headers: { ...others, ...passed }, setHost: false },
      (answered) => {
        const { statusCode: status = 502, headers } = answered;
        buffer(answered).then(
          (body) => resolve({ status, headers, body }),
          () => resolve(undefined),
        );
      },
    );
    asked.on('error', () => resolve(undefined)).end();
  });
}

function pass(socketPath: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  const { connection: _connection, ...others } = headers;
  const given = { ...others, ...passedHeaders(request) };
  const asked = requestTo({ socketPath, method, path: url, headers: given, setHost: false }, (answered) => {
    const { connection: _own, ...sent } = answered.headers;
    response.writeHead(answered.statusCode ?? 502, sent);
    answered.on('error', () => response.destroy()).pipe(response);
  });
  asked.on('error', () => (response.headersSent ? response.destroy() : refuse(response)));
  response.on('close', () => asked.destroy());
  request.pipe(asked);
}

/** What the process that answers would not see otherwise: who the client is, and whether there is more than one Host. */
function passedHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  const hosts = request.headersDistinct.host ?? [];
  return {
    [peerHeader]: clientIp(request, { trustProxy: false }),
    ...(hosts.length > 1 && { host: hosts.join(', ') }),
  };
}

function refuse(response: ServerResponse): void {
  const detail = 'No process serves now. Retry later.';
  writeReply(response, randomUUID(), problem('unavailable', { detail }, { 'retry-after': '1', ...adminHeaders }));
}
