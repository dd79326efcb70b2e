import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BodyReply, StreamReply } from '../contract/index.ts';
import type { EngineMemory } from '../engine/types/index.ts';
import type { AdminAuthorization } from './admin-authorize.ts';
import { writeReply } from './reply.ts';
import { writeStream } from './write-stream.ts';

export interface AdminStreaming extends Pick<AdminAuthorization, 'access'> {
  readonly memory: EngineMemory;
}

/** How often it is asked whether the reader of a stream may still read it, in milliseconds. */
const recheckMs = 1000;

/** Answers a request with server-sent events, past Fastify. They end when the token of the request is revoked or expires. */
export async function sendEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  events: BodyReply | StreamReply,
  { access, memory }: AdminStreaming,
): Promise<void> {
  reply.hijack();
  writeReply(reply.raw, request.id, events);
  if (events.stream === undefined) return;
  const isAuthorized = () => access().authenticate(request.headers.authorization, Date.now()).kind !== 'rejected';
  try {
    await writeStream(reply.raw, whilePermitted(events.stream, isAuthorized), memory);
  } catch {
    // The head has been sent: the client sees that the stream broke, and resumes.
    reply.raw.destroy();
  }
}

/** Heartbeats make an idle stream ask too. */
function whilePermitted(stream: AsyncIterable<string>, isPermitted: () => boolean): AsyncIterable<string> {
  return {
    [Symbol.asyncIterator]() {
      const inner = stream[Symbol.asyncIterator]();
      let askedAt = performance.now();
      const end = async (): Promise<IteratorResult<string>> => {
        await inner.return?.();
        return { done: true, value: undefined };
      };
      return {
        async next() {
          const next = await inner.next();
          if (performance.now() - askedAt < recheckMs) return next;
          askedAt = performance.now();
          return isPermitted() ? next : end();
        },
        return: end,
      };
    },
  };
}
