import type { BodyReply, Reply } from '../contract/index.ts';

/** Throws unless a respond plugin returned a reply: one in plain JavaScript may return anything. */
export function assertReply(candidate: unknown): asserts candidate is Reply {
  const fault = faultOfReply(candidate);
  if (fault !== undefined) throw new Error(`the respond plugin returned something that is not a reply: ${fault}`);
}

/** The same for the reply of an auth plugin to a handshake, which is a body or none. */
export function assertHandshakeReply(candidate: unknown): asserts candidate is BodyReply {
  const { stream, events } = Object(candidate);
  const isBody = stream === undefined && events === undefined;
  const fault = isBody ? faultOfReply(candidate) : 'a handshake is answered by a `body` or none';
  if (fault !== undefined) throw new Error(`the auth plugin returned something that is not a reply: ${fault}`);
}

/** The status that a caller receives. Run events are sent with 200. */
export function statusOf(reply: Reply): number {
  return reply.events === undefined ? reply.status : 200;
}

/** The code of an error; undefined if the reply is none. */
export function problemCodeOf(reply: Reply): string | undefined {
  const code: unknown = statusOf(reply) < 400 ? undefined : Object(reply.body).code;
  return typeof code === 'string' ? code : undefined;
}

/** They say where a response ends: a second one would let the next response be misread (response splitting). */
const framing: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'trailer',
  'upgrade',
]);

function faultOfReply(candidate: unknown): string | undefined {
  if (typeof candidate !== 'object' || candidate === null) return 'it is not an object';
  const { status, headers, body, stream, events } = candidate as Readonly<Record<string, unknown>>;
  if (Number(body !== undefined) + Number(stream !== undefined) + Number(events !== undefined) > 1) {
    return 'it has more than one of `body`, `stream` and `events`';
  }
  if (events !== undefined) {
    if (status !== undefined || headers !== undefined) return 'with `events` it has no `status` and no `headers`';
    return typeof Object(events).run?.deltas === 'function' ? undefined : 'its `events` have no `run`';
  }
  if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > 599) {
    return 'its `status` is not an integer from 200 to 599';
  }
  if (headers !== undefined) {
    if (typeof headers !== 'object' || headers === null) return 'its `headers` are not an object';
    for (const name in headers) {
      if (framing.has(name.toLowerCase())) return `the header \`${name}\` is for the gateway to set`;
    }
  }
  if (stream === undefined || typeof Object(stream)[Symbol.asyncIterator] === 'function') return undefined;
  return 'its `stream` is not an async iterable';
}
