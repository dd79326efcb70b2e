import type { ProblemCode } from '../contract/index.ts';

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

/** The catalogue's code for an error that Fastify raised itself; anything unknown is the gateway's own failure. */
export function codeOfFastifyError(error: unknown): ProblemCode {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const known = codeByStatus[status];
  if (known !== undefined) return known;
  return status >= 400 && status < 500 ? 'bad_request' : 'internal_error';
}

/** The catalogue's code for what Node's HTTP parser refused before there was a request. */
export function codeOfClientError(error: NodeJS.ErrnoException): ProblemCode {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  return 'bad_request';
}
