import type { FastifyInstance } from 'fastify';
import type { RequestTail, TailEvent, TailPosition } from '../observe/request-tail.ts';
import { isFollowed, type TailFilter, tailedRequest } from '../runtime/tailed-request.ts';
import { type AdminStreaming, sendEvents } from './admin-events.ts';
import { wrongParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';

/** How many may follow at once. */
const mostFollowers = 20;

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

export interface AdminTailParts extends AdminStreaming {
  readonly tail: RequestTail;
}

/** Requests while they are answered, for operators (server-sent events). */
export function registerTail(app: FastifyInstance, { tail, ...streaming }: AdminTailParts): void {
  app.get<{ Querystring: TailFilter }>('/requests/tail', { exposeHeadRoute: false }, async (request, reply) => {
    const wrong = wrongParameter(request.query, { texts: ['trigger', 'outcome', 'caller', 'text'] });
    if (wrong !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: wrong });
    if (tail.followers >= mostFollowers) {
      const detail = `${mostFollowers} follow already: close one of them.`;
      return sendProblem(reply, request.id, 'unavailable', { detail }, { 'retry-after': '10' });
    }
    const from = positionIn(request.headers['last-event-id']);
    const stream = followed(tail, from, request.query);
    return sendEvents(request, reply, { status: 200, headers, stream }, streaming);
  });
}

function positionIn(lastEventId: unknown): TailPosition | undefined {
  const [, life, sequence] = /^([0-9a-z]{1,20})\.(\d{1,15})$/.exec(String(lastEventId ?? '')) ?? [];
  return life === undefined ? undefined : { life, sequence: Number(sequence) };
}

/** Who goes away frees the place at once, also while nothing arrives. */
function followed(tail: RequestTail, from: TailPosition | undefined, filter: TailFilter): AsyncIterable<string> {
  return {
    [Symbol.asyncIterator]() {
      const leaving = new AbortController();
      const inner = texts(tail, tail.follow(from, leaving.signal), filter);
      return {
        next: () => inner.next(),
        async return() {
          leaving.abort();
          return inner.return(undefined);
        },
      };
    },
  };
}

async function* texts(
  tail: RequestTail,
  events: AsyncIterable<TailEvent>,
  filter: TailFilter,
): AsyncGenerator<string, undefined> {
  // So that the head is sent at once.
  yield ': following\n\n';
  for await (const event of events) {
    if (event.kind === 'heartbeat') yield ': heartbeat\n\n';
    else if (event.kind === 'missed')
      yield `event: missed\ndata: ${JSON.stringify({ count: event.count ?? null })}\n\n`;
    else {
      const matching = event.requests.filter(({ message }) => isFollowed(message, filter));
      const written = matching.map(
        ({ sequence, message }) =>
          `event: request\nid: ${tail.life}.${sequence}\ndata: ${JSON.stringify(tailedRequest(message))}\n\n`,
      );
      // Who comes back has not missed what the filter leaves out.
      const last = event.requests.at(-1)?.sequence;
      if (last !== matching.at(-1)?.sequence) written.push(`event: position\nid: ${tail.life}.${last}\ndata: {}\n\n`);
      yield written.join('');
    }
  }
  return undefined;
}
