import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { type JsonObject, type ProblemCode, problem, type Reply } from '../contract/index.ts';

/**
 * Sends what a stage or the gateway decided. Every error leaves as application/problem+json (RFC 9457). Written past
 * the framework, which would add a charset to that media type, or for bytes make two system calls of one.
 */
export function sendReply(reply: FastifyReply, requestId: string, answer: Reply): FastifyReply {
  const { status, body } = answer;
  const headers: Record<string, number | string | string[] | undefined> = { ...reply.getHeaders(), ...answer.headers };
  let text = '';
  if (status >= 400) {
    text = renderProblem(status, requestId, body);
    headers['content-type'] = 'application/problem+json';
  } else if (body !== undefined) {
    text = JSON.stringify(body);
    headers['content-type'] = 'application/json; charset=utf-8';
  }
  if (text !== '') headers['content-length'] = Buffer.byteLength(text);
  // Refuses by throwing what a plugin must not set; then the framework's error handler still has a reply to send.
  reply.raw.writeHead(status, headers as OutgoingHttpHeaders);
  reply.hijack();
  reply.raw.end(text);
  return reply;
}

export function sendProblem(
  reply: FastifyReply,
  requestId: string,
  code: ProblemCode,
  members?: JsonObject,
  headers?: Readonly<Record<string, string>>,
): FastifyReply {
  return sendReply(reply, requestId, problem(code, members, headers));
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
