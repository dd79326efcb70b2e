import type { IncomingMessage } from 'node:http';
import type { ServerConfig } from '../config/model.ts';
import { type IncomingTrace, parseTrace } from '../runtime/tracing/traceparent.ts';
import { isTrustedPeer } from './client-ip.ts';

/** The place in a trace that the direct peer names, if it is trusted: others could have any request of theirs exported. */
export function incomingTrace(
  request: IncomingMessage,
  server: Pick<ServerConfig, 'trustProxy'>,
): IncomingTrace | undefined {
  const { traceparent, tracestate } = request.headers;
  if (traceparent === undefined || !isTrustedPeer(request, server)) return undefined;
  return parseTrace(traceparent, tracestate);
}
