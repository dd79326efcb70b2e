import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from '../config/link/loopback.ts';

/** What the admin listener decides on before it looks at the address. */
export interface AdminRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Whether it carries the token of the admin listener. */
  readonly hasToken: boolean;
}

/**
 * Why a web page may be behind a request to the admin listener; undefined if none can be. A page that an operator visits
 * reaches the operator's loopback addresses, so the listener must not rely on the address of the client:
 *
 * - DNS rebinding: a page makes its own name resolve to 127.0.0.1. Without a token only names that no page can own are
 *   answered.
 * - CSRF (cross-site request forgery): a page submits a form or sends a simple request, whose answer it cannot read. What
 *   changes anything needs the listener's own origin or none, and a header that such requests cannot carry.
 */
export function foreignPage({ method, headers, hasToken }: AdminRequest): string | undefined {
  // A page does not know the token, and a request that carries one is never simple.
  if (hasToken) return undefined;
  if (!isOwnHost(headers.host)) return 'The admin listener answers only for a loopback name or an IP address in Host.';
  if (method === 'GET' || method === 'HEAD') return undefined;
  const { host, origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host?.toLowerCase()}`) {
    return 'The admin listener refuses changes from another origin.';
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return 'The admin listener refuses changes from another site.';
  }
  if (!isDeliberate(headers))
    return 'A change needs the header Content-Type: application/json, which no form can send.';
  return undefined;
}

/** `localhost`, or an IP address in any notation that Host allows. */
function isOwnHost(host = ''): boolean {
  const name = host.replace(/:\d*$/, '');
  return isLoopback(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

/** A form has one of three other content types, and is a navigation; so is every simple request of a script without CORS. */
function isDeliberate(headers: IncomingHttpHeaders): boolean {
  const type = headers['content-type'];
  if (type !== undefined) return /^application\/json *(?:;|$)/i.test(type);
  return headers['sec-fetch-mode'] === 'cors';
}
