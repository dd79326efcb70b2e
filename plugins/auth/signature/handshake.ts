import type { AuthVerdict, BodyReply, JsonObject, JsonValue, RequestHead } from '../../../src/contract/index.ts';
import { rejected } from '../verdicts.ts';
import { isSafeChallenge, textReply } from './challenge.ts';
import type { Format } from './format.ts';
import { onlyScalar } from './payload.ts';
import { parseSource, readHead, type Source } from './source.ts';

type HandshakeOptions = NonNullable<Format['handshakes']>[number];

/** A request, and its body once it has been read. */
interface Received {
  readonly request: RequestHead;
  readonly body: Uint8Array;
  /** The HMAC of a text with the key that signed the request. */
  hmac(text: string): string | undefined;
}

/** Answers a request if it is a handshake; undefined if it is none. */
export type Handshake = (received: Received) => AuthVerdict | undefined;

/** Larger than any handshake, so that no large event is searched for what makes it one. */
const largestHandshakeBytes = 16 * 1024;

const malformed = rejected('malformed challenge');

export function handshakeOf(options: HandshakeOptions): Handshake {
  const conditions = Object.entries(options.when).map(([place, value]) => ({ source: parseSource(place), value }));
  return (received) => {
    if (received.body.length > largestHandshakeBytes) return undefined;
    const applies = conditions.every(({ source, value }) => {
      const found = source && valueAt(source, received);
      return value === '*' ? found !== undefined : found === value;
    });
    if (!applies) return undefined;
    const reply = replyTo(received, options);
    return reply === undefined ? malformed : { kind: 'handshake', reply };
  };
}

type ReplyOptions = Pick<HandshakeOptions, 'status' | 'text' | 'json'>;

function replyTo(received: Received, { status, text, json }: ReplyOptions): BodyReply | undefined {
  if (text !== undefined) {
    const filled = fill(text, received);
    return filled === undefined ? undefined : textReply(filled, status);
  }
  if (json === undefined) return { status };
  const body = fillJson(json as JsonObject, received);
  return body === undefined ? undefined : { status, body };
}

function fillJson(value: JsonValue, received: Received): JsonValue | undefined {
  if (typeof value === 'string') return fill(value, received);
  if (typeof value !== 'object' || value === null) return value;
  const filled: Record<string, JsonValue> = {};
  for (const [name, member] of Object.entries(value)) {
    const one = fillJson(member, received);
    if (one === undefined) return undefined;
    filled[name] = one;
  }
  return Array.isArray(value) ? Object.values(filled) : filled;
}

/** Replaces the places in braces; undefined if one has no value that is safe to be echoed. */
function fill(template: string, received: Received): string | undefined {
  let isWhole = true;
  const filled = template.replaceAll(placeholder, (_, hmac: string | undefined, place: string) => {
    const source = parseSource(place);
    const value = source && valueAt(source, received);
    const echoed = value !== undefined && isSafeChallenge(value) ? value : undefined;
    const shown = hmac === undefined || echoed === undefined ? echoed : received.hmac(echoed);
    isWhole &&= shown !== undefined;
    return shown ?? '';
  });
  return isWhole ? filled : undefined;
}

const placeholder = /\{(hmac:)?((?:header|query|body):[^{}]+)\}/g;

/** Whether a reply holds an HMAC. */
export function repliesWithHmac({ text, json }: HandshakeOptions): boolean {
  return `${text ?? ''}${JSON.stringify(json ?? '')}`.includes('{hmac:');
}

function valueAt(source: Source, { request, body }: Received): string | undefined {
  return source.kind === 'body' ? onlyScalar(body, source) : readHead(source, request, []);
}
