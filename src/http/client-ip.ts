import type { IncomingMessage } from 'node:http';
import { isIP, isIPv4, type Socket } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';
import type { ServerConfig } from '../config/model.ts';

type Trust = Pick<ServerConfig, 'trustProxy'>;
type TrustTest = (address: string) => boolean;

const trustTests = new WeakMap<Trust, TrustTest>();

/**
 * The caller's address: that of the peer, or the one that trusted proxies report in `X-Forwarded-For`. Any other text than
 * an IP address there is not the caller's, and ends the search: the address of the proxy that reported it counts. Each
 * address has one notation, without a port: filters and limits compare it.
 */
export function clientIp(request: IncomingMessage, server: Trust): string {
  const peer = peerOf(request.socket);
  const forwarded = request.headers['x-forwarded-for'];
  // Node joins the lines of the header with commas.
  if (server.trustProxy === false || typeof forwarded !== 'string') return peer;
  return lastUntrusted(peer, forwarded, testFor(server));
}

/** Whether the headers of a proxy are believed that the direct peer has sent. */
export function isTrustedPeer(request: IncomingMessage, server: Trust): boolean {
  return server.trustProxy !== false && testFor(server)(peerOf(request.socket));
}

/** The address of the other end of a connection, in the one notation that addresses have here. */
export function peerOf({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  return isIPv4(remoteAddress) ? remoteAddress : (canonicalIp(remoteAddress) ?? remoteAddress);
}

/** Goes from proxy to proxy, as long as they are trusted; each has added the address that it was called from. */
function lastUntrusted(peer: string, forwarded: string, isTrusted: TrustTest): string {
  let found = peer;
  for (let end = forwarded.length; end >= 0 && isTrusted(found); ) {
    const comma = end === 0 ? -1 : forwarded.lastIndexOf(',', end - 1);
    const reported = reportedIp(forwarded.slice(comma + 1, end).trim());
    if (reported === undefined) break;
    found = reported;
    end = comma;
  }
  return found;
}

/** Some proxies report the port too: `192.0.2.1:54321`, or `[2001:db8::1]:54321`, since IPv6 addresses have colons. */
function reportedIp(entry: string): string | undefined {
  const [, ipv6, ipv4] = /^(?:\[([^\]]*)\]|([0-9.]+))(?::[0-9]{1,5})?$/.exec(entry) ?? [];
  if (ipv6 !== undefined && isIPv4(ipv6)) return undefined;
  return canonicalIp(ipv6 ?? ipv4 ?? entry);
}

/** An IPv4 address that is mapped into IPv6 as IPv4, and IPv6 as RFC 5952 writes it; undefined if it is no IP address. */
function canonicalIp(text: string): string | undefined {
  // The library below reads `012.0.0.1` as octal, which Node's own check refuses. It takes `::192.0.2.1`, a notation that
  // RFC 4291 deprecates, for a mapped address, and throws on some zones, which mean nothing on another machine.
  if (isIP(text) === 0 || text.includes('%') || /^::[0-9]+\./.test(text)) return undefined;
  return ipaddr.process(text).toString();
}

function testFor(server: Trust): TrustTest {
  const known = trustTests.get(server);
  if (known !== undefined) return known;
  const test = compileTest(server.trustProxy);
  trustTests.set(server, test);
  return test;
}

function compileTest(trustProxy: Trust['trustProxy']): TrustTest {
  if (typeof trustProxy === 'boolean') return () => trustProxy;
  const test = proxyAddr.compile(typeof trustProxy === 'string' ? trustProxy : [...trustProxy]);
  return (address) => isIP(address) !== 0 && test(address, 0);
}
