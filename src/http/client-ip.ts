import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import type { ServerConfig } from '../config/model.ts';

type Trust = Pick<ServerConfig, 'trustProxy'>;
type TrustTest = (address: string, hop: number) => boolean;

const trustTests = new WeakMap<Trust, TrustTest>();

/**
 * The caller's address: that of the peer, or the one that trusted proxies give in `X-Forwarded-For`. Any other text than an IP
 * address there is not the caller's, and ends the search: the address of the proxy that reported it counts.
 */
export function clientIp(request: IncomingMessage, server: Trust): string {
  const peer = request.socket.remoteAddress ?? '';
  if (server.trustProxy === false || request.headers['x-forwarded-for'] === undefined) return peer;
  const isTrusted = testFor(server);
  // The libraries below read `012.0.0.1` as octal, which Node's own check refuses.
  const reported = proxyAddr.all(request, (address, hop) => isIP(address) !== 0 && isTrusted(address, hop));
  return reported.findLast((address) => isIP(address) !== 0) ?? peer;
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
  return proxyAddr.compile(typeof trustProxy === 'string' ? trustProxy : [...trustProxy]);
}
