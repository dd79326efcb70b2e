import { hash, timingSafeEqual } from 'node:crypto';
import type { AuthVerdict, BodyReply, RequestHead } from '../../../src/contract/index.ts';
import { rejected } from '../verdicts.ts';
import type { Options } from './options.gen.ts';

/** Challenges that may be echoed: nothing that a browser interprets. */
const safeChallenge = /^[A-Za-z0-9._~+/=:-]{1,512}$/;

type ChallengeOptions = NonNullable<Options['challenge']>;

/** Answers a `GET` with a challenge in its query; undefined if the request has none. */
export function challengeIn(
  { method, query }: RequestHead,
  { parameter, tokenParameter, token }: ChallengeOptions,
): AuthVerdict | undefined {
  if (method !== 'GET' || query === '') return undefined;
  const parameters = new URLSearchParams(query);
  const [challenge, ...others] = parameters.getAll(parameter);
  if (challenge === undefined) return undefined;
  if (tokenParameter !== undefined && token !== undefined) {
    const [shown = '', ...more] = parameters.getAll(tokenParameter);
    if (more.length > 0 || !isSameText(shown, token)) return rejected('wrong verify token');
  }
  if (others.length > 0 || !safeChallenge.test(challenge)) return rejected('malformed challenge');
  return { kind: 'handshake', reply: textReply(challenge) };
}

/** A constant-time comparison of digests, which have one length: its timing reveals nothing about the secret. */
function isSameText(shown: string, secret: string): boolean {
  return timingSafeEqual(hash('sha256', shown, 'buffer'), hash('sha256', secret, 'buffer'));
}

function textReply(text: string): BodyReply {
  return {
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    body: Buffer.from(text),
  };
}

/** Larger than any Slack handshake, so that no large event is parsed twice. */
const largestHandshakeBytes = 16 * 1024;

/**
 * Answers Slack's URL verification request; undefined if a body is not one. Only for a body whose signature is
 * valid: https://docs.slack.dev/reference/events/url_verification
 */
export function slackChallengeIn(body: Uint8Array): AuthVerdict | undefined {
  if (body.length > largestHandshakeBytes) return undefined;
  const text = Buffer.from(body).toString();
  if (!text.includes('url_verification')) return undefined;
  const { type, challenge } = membersOf(text);
  if (type !== 'url_verification') return undefined;
  if (typeof challenge !== 'string' || !safeChallenge.test(challenge)) return rejected('malformed challenge');
  return { kind: 'handshake', reply: { status: 200, body: { challenge } } };
}

function membersOf(text: string): { readonly type?: unknown; readonly challenge?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
