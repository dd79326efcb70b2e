import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from '../config/link/loopback.ts';
import { type AdminAccess, bearerIn } from './admin-access.ts';

/** What the admin listener decides on before it looks at the path and the token. */
export interface AdminRequest {
  readonly method: string;
  /** As the request line has it: an absolute URL names a host too. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** How many header lines `Host` there are. */
  readonly hostLines: number;
  /** The address of the client. */
  readonly ip: string;
}

/**
 * Why a request to the admin listener is refused whatever token it carries; undefined if it is not. A page that an operator
 * visits reaches the operator's loopback and internal addresses, so neither these nor a token in the browser prove anything:
 *
 * - DNS rebinding: a page makes its own name resolve to the address of the listener. Only names that no page can own are
 *   answered: loopback names, and where tokens are required also IP addresses and the configured names.
 * - CSRF (cross-site request forgery): a page submits a form or sends a simple request, whose answer it cannot read. What
 *   changes anything needs the listener's own origin or none, and a header that such requests cannot carry.
 * - Reading across sites: a page embeds an answer as a script, an image or a frame. Only a navigation may come from elsewhere.
 */
export function refusedRequest(request: AdminRequest, access: AdminAccess): string | undefined {
  return foreignHost(request, access) ?? foreignClient(request, access) ?? foreignPage(request, access);
}

function foreignHost({ target, headers, hostLines }: AdminRequest, access: AdminAccess): string | undefined {
  const name = hostLines === 1 ? nameIn(headers.host) : undefined;
  const targeted = target.startsWith('/') || target === '*' ? name : nameOfUrl(target);
  if (name !== undefined && targeted !== undefined && isOwn(name, access) && isOwn(targeted, access)) return undefined;
  if (!access.needsToken) {
    return (
      'Without a token the admin listener answers only under loopback names in Host: localhost, 127.0.0.1 or [::1]. ' +
      'To reach it under another name, create a token (pullcord keys create --admin) and list the name in admin.hosts.'
    );
  }
  return (
    'The admin listener does not answer under this name in Host. List the name in admin.hosts of gateway.yaml, ' +
    'or use an IP address or localhost.'
  );
}

function foreignClient({ ip }: AdminRequest, { needsToken }: AdminAccess): string | undefined {
  if (needsToken || isLoopback(ip)) return undefined;
  return 'Without a token the admin listener answers only clients on this machine. Create one: pullcord keys create --admin.';
}

function foreignPage({ method, headers }: AdminRequest, { needsToken }: AdminAccess): string | undefined {
  const { host = '', origin } = headers;
  if (origin !== undefined && !isSameOrigin(origin, host, needsToken)) {
    return 'The admin listener refuses requests of pages from another origin.';
  }
  const isReading = method === 'GET' || method === 'HEAD';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !(isReading && isNavigation(headers))) {
    return 'The admin listener refuses requests of pages from another site.';
  }
  if (isReading || isDeliberate(headers)) return undefined;
  return 'A change needs the header Content-Type: application/json or Authorization: Bearer, which no form can send.';
}

/** A name that no web page can own, or that is configured. */
function isOwn(name: string, { needsToken, hosts }: AdminAccess): boolean {
  return isLoopback(name) || (needsToken && (isIP(name) !== 0 || hosts.has(name)));
}

/** The name or the address in a Host header, in lower case, without port and brackets; undefined if it is malformed. */
function nameIn(host: string | undefined): string | undefined {
  if (host === undefined) return undefined;
  const [, ipv6, name] = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/?#@]+))(?::\d{0,5})?$/i.exec(host) ?? [];
  if (ipv6 !== undefined) return isIP(ipv6) === 6 ? ipv6.toLowerCase() : undefined;
  // A final dot makes a name absolute, and names the same.
  return name?.toLowerCase().replace(/\.$/, '');
}

function nameOfUrl(target: string): string | undefined {
  const url = URL.parse(target);
  return url === null ? undefined : nameIn(url.host);
}

/** A proxy that terminates TLS has the same Host; a listener without tokens has none in front of it. */
function isSameOrigin(origin: string, host: string, needsToken: boolean): boolean {
  const given = origin.toLowerCase();
  const own = host.toLowerCase();
  return given === `http://${own}` || (needsToken && given === `https://${own}`);
}

/** A link that leads here in a window of its own: the page that has it cannot read the answer. */
function isNavigation(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** A form has one of three other content types and no bearer token, and is a navigation; so is no request with CORS. */
function isDeliberate(headers: IncomingHttpHeaders): boolean {
  if (bearerIn(headers.authorization) !== undefined) return true;
  const type = headers['content-type'];
  if (type !== undefined) return /^application\/json *(?:;|$)/i.test(type);
  return headers['sec-fetch-mode'] === 'cors';
}
