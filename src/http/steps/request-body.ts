import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject, ProblemCode } from '../../contract/index.ts';
import type { HasRoom } from '../../runtime/body/json-body.ts';
import { type NoRoom, noBody, parseTriggerBody, type TriggerBody } from '../../runtime/body/trigger-body.ts';

/** What a request carries as its body, or why it is refused. */
export type RequestBody =
  | TriggerBody
  | NoRoom
  | { readonly kind: 'refused'; readonly code: ProblemCode; readonly members?: JsonObject };

/** Parses the bytes of a body by its headers. */
export function parseRequestBody(headers: IncomingHttpHeaders, bytes: Buffer, hasRoom: HasRoom): RequestBody {
  if (bytes.length === 0) return noBody;
  if (!isPlainJson(headers)) return { kind: 'refused', code: 'unsupported_media_type' };
  return parseTriggerBody(bytes, hasRoom);
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
