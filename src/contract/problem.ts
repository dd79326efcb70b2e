import type { JsonValue } from './json.ts';
import type { Reply } from './respond.ts';

/**
 * Every error code that a caller can meet, with its HTTP status and what it means. A code is public API: it is never
 * renamed or given another meaning.
 */
export const problemCodes = {
  filtered: { status: 400, detail: 'A filter dropped the request.' },
  filter_error: { status: 400, detail: 'A filter could not be evaluated on this request.' },
  duplicate: { status: 400, detail: 'The same request was accepted before.' },
  invalid_body: { status: 400, detail: 'The body is not valid.' },
  bad_request: { status: 400, detail: 'The request is not valid HTTP.' },
  unauthorized: { status: 401, detail: 'The request carries no valid credential.' },
  forbidden: { status: 403, detail: 'The credential does not grant this.' },
  trigger_not_found: { status: 404, detail: 'There is no such trigger.' },
  run_not_found: { status: 404, detail: 'There is no such run of this trigger.' },
  not_found: { status: 404, detail: 'There is nothing at this address.' },
  method_not_allowed: { status: 405, detail: 'This address does not take that method.' },
  wait_timeout: { status: 408, detail: 'The run did not finish in time. It goes on; read it at statusUrl.' },
  request_timeout: { status: 408, detail: 'The request was not complete in time.' },
  not_replayable: { status: 409, detail: 'The input of the run was not kept, so it cannot be repeated.' },
  body_too_large: { status: 413, detail: 'The body is larger than this gateway takes.' },
  uri_too_long: { status: 414, detail: 'The address is longer than this gateway takes.' },
  unsupported_media_type: {
    status: 415,
    detail: 'The body must be JSON: Content-Type: application/json, not encoded.',
  },
  expectation_failed: { status: 417, detail: 'This gateway takes no Expect header but 100-continue.' },
  rate_limited: { status: 429, detail: 'Too many requests.' },
  headers_too_large: { status: 431, detail: 'The request headers are larger than this gateway takes.' },
  internal_error: { status: 500, detail: 'The gateway failed. Nothing is known of the request.' },
  run_failed: { status: 502, detail: 'The run failed.' },
  run_cancelled: { status: 502, detail: 'The run was cancelled.' },
  unavailable: { status: 503, detail: 'The request was not stored, so it was not accepted. Try again.' },
} as const satisfies Record<string, { status: number; detail: string }>;

export type ProblemCode = keyof typeof problemCodes;

/** Makes an error reply: the gateway adds what RFC 9457 wants and the request id. `members` override `detail`. */
export function problem(
  code: ProblemCode,
  members: Readonly<Record<string, JsonValue>> = {},
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const { status, detail } = problemCodes[code];
  return { status, headers, body: { code, detail, ...members } };
}
