import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { type JsonObject, type ProblemCode, problem, type Reply } from '../contract/index.ts';

/** How long a client may take to hear why its connection ends. */
const lastWordsMs = 1000;

/**
 * Writes what a stage or the gateway decided; of a stream only the head, `writeStream` does the rest. Every error leaves as application/problem+json (RFC 9457), past the
 * framework, which would add a charset to that media type or make two system calls of one. Throws before anything is
 * written if a header, the status or the body cannot be sent.
 */
export function writeReply(
  response: ServerResponse,
  requestId: string,
  { status, headers, body, stream }: Reply,
): void {
  if (stream !== undefined) {
    response.writeHead(status, headers).flushHeaders();
    return;
  }
  const sent: Record<string, string | number> = { ...headers };
  let text = '';
  if (status >= 400) {
    text = renderProblem(status, requestId, body);
    sent['content-type'] = 'application/problem+json';
  } else if (body !== undefined) {
    text = JSON.stringify(body);
    sent['content-type'] = 'application/json; charset=utf-8';
  }
  if (text !== '') sent['content-length'] = Buffer.byteLength(text);
  response.writeHead(status, sent).end(text);
}

export function sendProblem(
  reply: FastifyReply,
  requestId: string,
  code: ProblemCode,
  members?: JsonObject,
  headers?: Readonly<Record<string, string>>,
): FastifyReply {
  reply.hijack();
  writeReply(reply.raw, requestId, problem(code, members, headers));
  return reply;
}

/**
 * Ends a connection that has no request to answer, e.g. one that sent no valid HTTP, with a problem as its last words.
 * Nobody else may be listening to it any more, so its errors end here too, and a client that stays is cut off.
 */
export function endConnection(socket: Duplex, code: ProblemCode, requestId: string): void {
  socket.on('error', () => {});
  // What is still sent would otherwise be answered by a reset, which can overtake the last words.
  socket.resume();
  if (socket.writable) socket.end(rawProblem(code, requestId));
  else socket.destroy();
  setTimeout(() => socket.destroy(), lastWordsMs).unref();
}

function rawProblem(code: ProblemCode, requestId: string): string {
  const { status, body } = problem(code);
  const text = renderProblem(status, requestId, body);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
    '',
    text,
  ].join('\r\n');
}

/** RFC 9457 §4.2.1: with `about:blank` the title is the status phrase, and `code` tells the errors apart. */
function renderProblem(status: number, requestId: string, body: Reply['body']): string {
  const members = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : { detail: body ?? null };
  return JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, ...members, requestId });
}
