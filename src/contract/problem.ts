import type { JsonObject, JsonValue } from './json.ts';
import type { BodyReply } from './respond.ts';

/**
 * Every error code that a caller can receive, with its HTTP status and meaning. A code is public API: it is never renamed
 * or given another meaning.
 */
export const problemCodes = {
  filtered: { status: 400, detail: 'A filter dropped the request.' },
  filter_error: { status: 400, detail: 'A filter could not be evaluated on this request.' },
  duplicate: { status: 400, detail: 'The request is a duplicate of an accepted one.' },
  invalid_body: { status: 400, detail: 'The body is not valid.' },
  bad_request: { status: 400, detail: 'The request is not valid HTTP.' },
  unauthorized: { status: 401, detail: 'The request carries no valid credential.' },
  forbidden: { status: 403, detail: 'The credential does not permit this request.' },
  trigger_not_found: { status: 404, detail: 'Trigger not found.' },
  run_not_found: { status: 404, detail: 'This trigger has no such run.' },
  not_found: { status: 404, detail: 'Resource not found.' },
  method_not_allowed: { status: 405, detail: 'Method not allowed for this resource.' },
  wait_timeout: { status: 408, detail: 'The run did not finish in time. It continues; read it at statusUrl.' },
  request_timeout: { status: 408, detail: 'The complete request did not arrive in time.' },
  not_replayable: { status: 409, detail: 'The input of the run was not kept, so it cannot be replayed.' },
  session_busy: { status: 409, detail: 'A run of this session is queued or running.' },
  tokens_not_configured: {
    status: 409,
    detail: 'This gateway issues no tokens: gateway.yaml has no secrets that sign them.',
  },
  body_too_large: { status: 413, detail: 'The request body exceeds the size limit.' },
  uri_too_long: { status: 414, detail: 'The request URI is too long.' },
  unsupported_media_type: {
    status: 415,
    detail: 'The body must be JSON: Content-Type: application/json, without content encoding.',
  },
  expectation_failed: { status: 417, detail: 'The only supported Expect header is 100-continue.' },
  rate_limited: { status: 429, detail: 'Too many requests.' },
  headers_too_large: { status: 431, detail: 'The request headers exceed the size limit.' },
  internal_error: { status: 500, detail: 'Internal error. It is unknown whether the request was accepted.' },
  run_failed: { status: 502, detail: 'The run failed.' },
  run_cancelled: { status: 502, detail: 'The run was cancelled.' },
  unavailable: { status: 503, detail: 'The request was not stored, so it was not accepted. Retry later.' },
} as const satisfies Record<string, { status: number; detail: string }>;

export type ProblemCode = keyof typeof problemCodes;

/** An error reply. Its body holds the members of the problem (RFC 9457) that are its own. */
export interface ProblemReply extends BodyReply {
  readonly body: JsonObject;
}

/** Returns an error reply: the gateway adds the members of RFC 9457 and the request id. `members` override `detail`. */
export function problem(
  code: ProblemCode,
  members: Readonly<Record<string, JsonValue>> = {},
  headers: Readonly<Record<string, string>> = {},
): ProblemReply {
  const { status, detail } = problemCodes[code];
  return { status, headers, body: { code, detail, ...members } };
}
