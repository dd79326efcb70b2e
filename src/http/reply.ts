import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { type JsonObject, type ProblemCode, problem, type Reply } from '../contract/index.ts';

/**
 * Writes what a stage or the gateway decided. Every error leaves as application/problem+json (RFC 9457), past the
 * framework, which would add a charset to that media type or make two system calls of one. Throws before anything is
 * written if a header, the status or the body cannot be sent.
 */
export function writeReply(response: ServerResponse, requestId: string, { status, headers, body }: Reply): void {
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

/** The bytes of an error for a connection that has no request yet, e.g. one that sent no valid HTTP. */
export function rawProblem(code: ProblemCode, requestId: string): string {
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
