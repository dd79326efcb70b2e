import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ServerConfig } from '../config/model.ts';
import { isTrustedPeer } from './client-ip.ts';

/**
 * What an id of a proxy may be: it is sent in headers, logged, stored and passed on command lines. Several lines of the
 * header, which Node joins with a comma, are none.
 */
const acceptedId = /^[A-Za-z0-9._~+/=:-]{1,128}$/;

/** Returns the id of a request: the `X-Request-Id` of a trusted proxy, or else a new one. */
export type RequestIds = (request: IncomingMessage | undefined, server: Pick<ServerConfig, 'trustProxy'>) => string;

export function requestIds(next = requestIdSource()): RequestIds {
  return (request, server) => {
    const sent = request?.headers['x-request-id'];
    const isTaken =
      request !== undefined && typeof sent === 'string' && acceptedId.test(sent) && isTrustedPeer(request, server);
    return isTaken ? sent : next();
  };
}

/** Unique without asking for randomness each time; a gateway that restarts never repeats the ids of another. */
function requestIdSource(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
