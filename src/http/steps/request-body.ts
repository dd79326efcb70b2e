import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject, ProblemCode } from '../../contract/index.ts';
import type { HasRoom } from '../../runtime/body/json-body.ts';
import { type NoRoom, noBody, parseTriggerBody, type TriggerBody } from '../../runtime/body/trigger-body.ts';
import { isPlainJson } from './media-type.ts';

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
