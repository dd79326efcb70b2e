import type { Reply } from '../../contract/index.ts';
import type { Cors } from '../../runtime/cors.ts';
import type { LiveTrigger } from '../../runtime/snapshot.ts';
import type { Call } from '../call.ts';

/** What scripts may read of an answer, beside what the Fetch standard lets them read anyway. */
const exposed = 'Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id';

/**
 * Lets pages of the declared origins read the answer, and answers preflights. The trigger does not matter yet: any origin
 * that some trigger allows is answered alike at every address, so that nobody learns which triggers exist. No answer
 * allows credentials of the browser: keys and tokens are sent by scripts.
 */
export function cors(call: Call): Reply | undefined {
  const { snapshot, request } = call;
  const { cors: allowed } = snapshot;
  if (allowed === undefined) return undefined;
  const { origin } = request.headers;
  call.headers = headersFor(allowed, origin);
  const method = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || origin === undefined || method === undefined) return undefined;
  return { status: 204, headers: preflightHeaders(allowed, origin, request.headers['access-control-request-headers']) };
}

/** Withdraws what the trigger of a request does not allow, once it matters which one it is. */
export function narrowCors(call: Call, { cors: allowed }: LiveTrigger): void {
  const { snapshot, request } = call;
  if (snapshot.cors === undefined || allowed?.origins.has(request.headers.origin ?? '')) return;
  call.headers = unreadable;
}

/** Caches must not hand an answer for one origin to another, nor to a caller without any. */
const unreadable: Call['headers'] = Object.freeze({ vary: 'Origin' });

function headersFor({ origins }: Cors, origin: string | undefined): Call['headers'] {
  if (origin === undefined || !origins.has(origin)) return unreadable;
  return { vary: 'Origin', 'access-control-allow-origin': origin, 'access-control-expose-headers': exposed };
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
