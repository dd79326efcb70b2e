import type { Socket } from 'node:net';
import {
  channels,
  type ObservedGateway,
  type ProblemCode,
  problemCodes,
  type RequestMessage,
} from '../contract/index.ts';
import { peerOf } from './client-ip.ts';

/** A message while it is filled in. */
export type OpenMessage<Message> = { -readonly [Member in keyof Message]: Message[Member] };

/** What a request shows when it arrives. */
export type ArrivedRequest = Pick<
  RequestMessage,
  'requestId' | 'receivedAt' | 'method' | 'path' | 'host' | 'ip' | 'trace'
>;

/** The message of a request that has arrived. All have the same members, in the same order, which is fast. */
export function requestMessage(
  gateway: ObservedGateway,
  { requestId, receivedAt, method, path, host, ip, trace }: ArrivedRequest,
): OpenMessage<RequestMessage> {
  return {
    gateway,
    trace,
    requestId,
    receivedAt,
    method,
    path,
    host,
    ip,
    project: undefined,
    trigger: undefined,
    caller: undefined,
    secret: undefined,
    runId: undefined,
    outcome: undefined,
    reason: '',
    detail: '',
    shadowed: none,
    status: undefined,
    code: undefined,
    durationMs: undefined,
  };
}

/** Publishes a violation of HTTP by a client. */
export function publishProtocolError(
  gateway: ObservedGateway,
  socket: Socket,
  { requestId, code, reason }: { readonly requestId: string; readonly code: ProblemCode; readonly reason: string },
): void {
  const arrived = { requestId, receivedAt: Date.now(), method: '', path: '', host: undefined, ip: peerOf(socket) };
  const { status } = problemCodes[code];
  const message = { ...requestMessage(gateway, { ...arrived, trace: undefined }), code, reason, status, durationMs: 0 };
  for (const channel of [channels.request.start, channels.request.decided, channels.request.end])
    channel.publish(message);
}

const none: readonly string[] = [];
