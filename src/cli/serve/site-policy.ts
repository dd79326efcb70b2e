import { isIP } from 'node:net';
import { isLoopback } from '../../config/link/loopback.ts';

/**
 * Returns the Content-Security-Policy of the site's pages: their own files, requests to the gateway, no inline script or
 * style, and no text that becomes code (Trusted Types).
 */
export function contentSecurityPolicy(gateway: { readonly host: string; readonly port: number }): string {
  return [
    "default-src 'none'",
    ...['script-src', 'style-src', 'font-src', 'media-src', 'manifest-src'].map((directive) => `${directive} 'self'`),
    "img-src 'self' data:",
    ["connect-src 'self'", ...gatewayOrigins(gateway)].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/** A policy can name hosts and IPv4 addresses, not IPv6 addresses: https://www.w3.org/TR/CSP3/#grammardef-host-source */
function gatewayOrigins({ host, port }: { readonly host: string; readonly port: number }): readonly string[] {
  const isReachedByLoopback = isLoopback(host) || host === '0.0.0.0' || host === '::';
  const hosts = isReachedByLoopback ? ['127.0.0.1', 'localhost'] : isIP(host) === 6 ? [] : [host];
  return hosts.map((name) => `http://${name}:${port}`);
}
