import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { JsonObject, ProblemCode } from '../contract/index.ts';
import { noBody, parseTriggerBody, type TriggerBody } from '../runtime/body/trigger-body.ts';
import { readBody } from './read-body.ts';

/** What a request carries as its body, or why it cannot be taken. */
export type RequestBody =
  | TriggerBody
  | { readonly kind: 'refused'; readonly code: ProblemCode; readonly members?: JsonObject };

/** Reads the body of a request to fire a trigger. Untrusted input ends as a refusal, never a throw. */
export async function readRequestBody(request: IncomingMessage, limitBytes: number): Promise<RequestBody> {
  const read = await readBody(request, limitBytes);
  if (!read.ok) return { kind: 'refused', code: read.tooLarge ? 'body_too_large' : 'bad_request' };
  return parseRequestBody(request.headers, read.bytes);
}

/** Reads what bytes mean that have come as a body. */
export function parseRequestBody(headers: IncomingHttpHeaders, bytes: Buffer): RequestBody {
  if (bytes.length === 0) return noBody;
  if (!isPlainJson(headers)) return { kind: 'refused', code: 'unsupported_media_type' };
  return parseTriggerBody(bytes);
}

const jsonType = /^application\/(?:json|[\w.!#$&^-]+\+json) *(?:;|$)/i;
const charset = /; *charset *= *"?([^";]*)"?/i;

function isPlainJson(headers: IncomingHttpHeaders): boolean {
  const type = headers['content-type'];
  if (type === 'application/json') return headers['content-encoding'] === undefined;
  if (type === undefined || !jsonType.test(type)) return false;
  const named = charset.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  const encoding = headers['content-encoding'] ?? 'identity';
  return (named === 'utf-8' || named === 'utf8') && encoding.toLowerCase() === 'identity';
}
