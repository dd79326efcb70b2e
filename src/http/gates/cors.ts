import type { ServerResponse } from 'node:http';
import type { Reply } from '../../contract/index.ts';
import type { Cors } from '../../runtime/cors.ts';
import type { Call } from '../call.ts';

/** What scripts may read of an answer, beside what the Fetch standard lets them read anyway. */
const exposed = 'Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id';

/**
 * Lets pages of the declared origins read the answer, and answers preflights. The trigger does not matter yet: any origin
 * that some trigger allows is answered alike at every address, so that nobody learns which triggers exist. No answer
 * allows credentials of the browser: keys and tokens are sent by scripts.
 */
export function cors({ snapshot, request, response }: Call): Reply | undefined {
  const { cors: allowed } = snapshot;
  if (allowed === undefined) return undefined;
  const { origin } = request.headers;
  allow(response, allowed, origin);
  const method = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || origin === undefined || method === undefined) return undefined;
  return { status: 204, headers: preflightHeaders(allowed, origin, request.headers['access-control-request-headers']) };
}

/** Withdraws what the trigger of an admitted request does not allow: only now does it matter which one it is. */
export function narrowCors({ snapshot, request, response, admission: { trigger } }: Call): void {
  if (snapshot.cors === undefined || trigger.cors?.origins.has(request.headers.origin ?? '')) return;
  response.removeHeader('access-control-allow-origin');
  response.removeHeader('access-control-expose-headers');
}

function allow(response: ServerResponse, { origins }: Cors, origin: string | undefined): void {
  // Caches must not hand an answer for one origin to another, nor to a caller without any.
  response.setHeader('vary', 'Origin');
  if (origin === undefined || !origins.has(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', exposed);
}

/** Names of headers, as a browser lists them. */
const headerNames = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:[ \t]*,[ \t]*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*$/;
const longestList = 2048;

/** Filters and dedup may read any header, so that a page may send any. */
function preflightHeaders({ origins, maxAge }: Cors, origin: string, wanted: string | undefined) {
  const vary = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';
  if (!origins.has(origin)) return { vary };
  const isList = wanted !== undefined && wanted.length <= longestList && headerNames.test(wanted);
  return {
    vary,
    'access-control-allow-methods': 'GET, POST, DELETE',
    ...(isList && { 'access-control-allow-headers': wanted }),
    'access-control-max-age': maxAge,
  };
}
