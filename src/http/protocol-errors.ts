import type { ProblemCode } from '../contract/index.ts';

/** The code for what Node's HTTP parser refused before there was a request. */
export function codeOfClientError(error: NodeJS.ErrnoException): ProblemCode {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  return 'bad_request';
}
