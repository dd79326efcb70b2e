import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { JsonObject, ProblemCode, TriggerInput } from '../contract/index.ts';
import { checkTriggerBody } from './body-check.ts';
import { readJsonBody } from './json-body.ts';
import { readBody } from './read-body.ts';

/** What a request carries as its body, or why it cannot be taken. */
export type RequestBody =
  | { readonly kind: 'read'; readonly text: string | undefined; readonly members: JsonObject }
  | { readonly kind: 'refused'; readonly code: ProblemCode; readonly members?: JsonObject };

/** No body is as good as an empty object, but takes no part in dedup. */
const noBody: RequestBody = { kind: 'read', text: undefined, members: {} };

/** Reads the body of a request to fire a trigger: a JSON object, or nothing. Untrusted input ends as a refusal, never a throw. */
export async function readRequestBody(request: IncomingMessage, limitBytes: number): Promise<RequestBody> {
  const read = await readBody(request, limitBytes);
  if (!read.ok) return { kind: 'refused', code: read.tooLarge ? 'body_too_large' : 'bad_request' };
  if (read.bytes.length === 0) return noBody;
  if (!isPlainJson(request.headers)) return { kind: 'refused', code: 'unsupported_media_type' };
  return parse(read.bytes);
}

/** What filters and the agent see: the caller's members, and the defaults of those that it left out. */
export function inputOf(body: Extract<RequestBody, { kind: 'read' }>, language: string): TriggerInput {
  // The type of both members was checked against schemas/source/trigger-body.schema.json.
  return { environment: 'api', language, ...body.members } as TriggerInput;
}

function parse(bytes: Buffer): RequestBody {
  const body = readJsonBody(bytes);
  if (!body.ok) return invalid([{ pointer: body.pointer ?? '', message: body.detail }], body.detail);
  const faults = checkTriggerBody(body.value);
  if (faults.length > 0) return invalid(faults, 'The body has members of a wrong type.');
  return { kind: 'read', text: body.text, members: body.value };
}

function invalid(errors: readonly { pointer: string; message: string }[], detail: string): RequestBody {
  return { kind: 'refused', code: 'invalid_body', members: { detail, errors: errors.map((error) => ({ ...error })) } };
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
