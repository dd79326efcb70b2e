import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import type { ServerConfig } from '../config/model.ts';

type TrustProxy = ServerConfig['trustProxy'];
type TrustTest = (address: string, hop: number) => boolean;

const trustTests = new WeakMap<readonly string[], TrustTest>();

/** The caller's address: that of the peer, or the one that trusted proxies give in `X-Forwarded-For`. */
export function clientIp(request: IncomingMessage, trustProxy: TrustProxy): string {
  if (trustProxy === false) return request.socket.remoteAddress ?? '';
  return proxyAddr(request, testFor(trustProxy));
}

function testFor(trustProxy: Exclude<TrustProxy, false>): TrustTest {
  if (trustProxy === true) return () => true;
  if (typeof trustProxy === 'string') return proxyAddr.compile(trustProxy);
  const known = trustTests.get(trustProxy);
  if (known !== undefined) return known;
  const test = proxyAddr.compile([...trustProxy]);
  trustTests.set(trustProxy, test);
  return test;
}
