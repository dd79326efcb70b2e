import type { IncomingMessage, ServerResponse } from 'node:http';
import { type BodyReply, problem, type Reply, type StreamReply } from '../contract/index.ts';
import { EngineUnavailable } from '../engine/types/index.ts';
import { Call, type Services } from './call.ts';
import { conclude, concludeError } from './conclude.ts';
import { eventStream } from './event-stream.ts';
import { bodySteps, headGates } from './lifecycle.ts';
import { endResponse, writeReply } from './reply.ts';
import { holdUnread } from './reply-memory.ts';
import { isStillAdmitted } from './still-admitted.ts';
import { endOfTurn } from './turn.ts';
import { writeStream } from './write-stream.ts';

/** How much of an unread body a refused client may still send before its connection is closed. */
const unreadLimitBytes = 64 * 1024;

const lifecycle = [...headGates, ...bodySteps];

/**
 * Answers one request, whatever happens: gates → steps → count, record → reply. Never rejects.
 * @param mayBeLast whether a response may end its connection, because the server is to stop
 */
export async function serve(
  services: Services,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  mayBeLast: (response: ServerResponse) => boolean,
): Promise<void> {
  let call: Call | undefined;
  try {
    call = new Call(services, request, response, requestId);
    let reply: Reply | undefined;
    for (const { run } of lifecycle) {
      const answered = run(call);
      // A gate that answers at once must not cost a turn of the event loop.
      reply = answered instanceof Promise ? await answered : answered;
      if (reply !== undefined) break;
    }
    if (reply === undefined) throw new Error('no step answered the request');
    conclude(call, reply);
    const sent = reply.events === undefined ? reply : eventStream(reply.events);
    await endOfTurn();
    const { headers, awaitsContinue: mayBeUnsent } = call;
    send(response, requestId, sent, { headers, mayBeUnsent, isLast: mayBeLast(response) });
    if (sent.stream === undefined) holdUnread(services.memory, response);
    else await stream(call, sent.stream);
  } catch (error) {
    const isUnavailable = EngineUnavailable.is(error);
    if (isUnavailable) services.log.error({ requestId, reason: error.message }, 'storage unavailable');
    else services.log.error({ requestId, err: error }, 'request failed unexpectedly');
    if (response.headersSent) response.destroy();
    else {
      const reply = isUnavailable ? unavailable : problem('internal_error');
      if (call !== undefined) concludeError(call, reply);
      send(response, requestId, reply, { headers: call?.headers, mayBeUnsent: true, isLast: mayBeLast(response) });
    }
  } finally {
    call?.release();
  }
}

/** Sends a stream for as long as its caller may read it. */
async function stream(call: Call, pieces: AsyncIterable<string>): Promise<void> {
  const { response, services } = call;
  const remove = services.streams.add({ isAdmitted: () => isStillAdmitted(call), end: () => endResponse(response) });
  try {
    await writeStream(response, pieces, services.memory);
  } finally {
    remove();
  }
}

const unavailable = problem(
  'unavailable',
  { detail: 'Storage is temporarily unavailable. Retry later.' },
  { 'retry-after': '1' },
);

interface Sending {
  /** Of every answer to the request. */
  readonly headers: Call['headers'];
  /** Whether the client may never send the body that it has declared. */
  readonly mayBeUnsent: boolean;
  /** Whether the connection ends with it. */
  readonly isLast: boolean;
}

function send(
  response: ServerResponse,
  requestId: string,
  reply: BodyReply | StreamReply,
  { headers, mayBeUnsent, isLast }: Sending,
): void {
  const { req } = response;
  // Otherwise the rest of the body would have to be read before the next request of the connection.
  if (isLast || (!req.readableEnded && (mayBeUnsent || declaredLength(req) > unreadLimitBytes))) {
    response.setHeader('connection', 'close');
  }
  writeReply(response, requestId, reply, headers);
}

function declaredLength({ headers }: IncomingMessage): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
}
