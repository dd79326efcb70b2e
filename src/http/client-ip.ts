import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import type { ServerConfig } from '../config/model.ts';

type TrustProxy = ServerConfig['trustProxy'];
type TrustTest = (address: string, hop: number) => boolean;

/** Of lists by identity, of names by themselves: a config has few. */
const testsOfLists = new WeakMap<readonly string[], TrustTest>();
const testsOfNames = new Map<string, TrustTest>();

/**
 * The caller's address: that of the peer, or the one that trusted proxies give in `X-Forwarded-For`. Any other text than an IP
 * address there is not the caller's, and ends the search: the address of the proxy that reported it counts.
 */
export function clientIp(request: IncomingMessage, trustProxy: TrustProxy): string {
  const peer = request.socket.remoteAddress ?? '';
  if (trustProxy === false || request.headers['x-forwarded-for'] === undefined) return peer;
  const isTrusted = testFor(trustProxy);
  // The libraries below read `012.0.0.1` as octal, which Node's own check refuses.
  const reported = proxyAddr.all(request, (address, hop) => isIP(address) !== 0 && isTrusted(address, hop));
  return reported.findLast((address) => isIP(address) !== 0) ?? peer;
}

function testFor(trustProxy: Exclude<TrustProxy, false>): TrustTest {
  if (trustProxy === true) return () => true;
  const known = typeof trustProxy === 'string' ? testsOfNames.get(trustProxy) : testsOfLists.get(trustProxy);
  if (known !== undefined) return known;
  const test = proxyAddr.compile(typeof trustProxy === 'string' ? trustProxy : [...trustProxy]);
  if (typeof trustProxy === 'string') testsOfNames.set(trustProxy, test);
  else testsOfLists.set(trustProxy, test);
  return test;
}
