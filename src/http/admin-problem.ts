import type { FastifyReply } from 'fastify';
import { type JsonObject, type ProblemCode, problem } from '../contract/index.ts';
import { writeReply } from './reply.ts';

/** Answers a request to the admin listener with a problem, past Fastify, which would add a charset to its media type. */
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

/** The code for an error that Fastify raised itself; anything unknown is a failure of the gateway. */
export function codeOfFastifyError(error: unknown): ProblemCode {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const known = codeByStatus[status];
  if (known !== undefined) return known;
  return status >= 400 && status < 500 ? 'bad_request' : 'internal_error';
}

const codeByStatus: Readonly<Record<number, ProblemCode>> = {
  400: 'bad_request',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'body_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  431: 'headers_too_large',
  503: 'unavailable',
};
