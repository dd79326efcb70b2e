import type { AuthVerdict, BodyReply, RequestHead } from '../../../src/contract/index.ts';
import { rejected } from '../verdicts.ts';
import type { Options } from './options.gen.ts';
import { secretFinder } from './verifier.ts';

type ChallengeOptions = NonNullable<Options['challenge']>;

/** Returns what answers a `GET` with a challenge in its query; undefined for a request that has none. */
export function challengeAnswerer({
  parameter,
  tokenParameter,
  token,
}: ChallengeOptions): (request: RequestHead) => AuthVerdict | undefined {
  const isToken = token === undefined ? undefined : secretFinder([token]);
  return ({ method, query }) => {
    if (method !== 'GET' || query === '') return undefined;
    const parameters = new URLSearchParams(query);
    const [challenge, ...others] = parameters.getAll(parameter);
    if (challenge === undefined) return undefined;
    if (tokenParameter !== undefined && isToken !== undefined) {
      const [shown = '', ...more] = parameters.getAll(tokenParameter);
      if (more.length > 0 || isToken(shown) === undefined) return rejected('wrong verify token');
    }
    if (others.length > 0 || !isSafeChallenge(challenge)) return rejected('malformed challenge');
    return { kind: 'handshake', reply: textReply(challenge, 200) };
  };
}

/** Whether a challenge may be echoed: nothing that a browser interprets. Microsoft Graph sends a sentence. */
export function isSafeChallenge(text: string): boolean {
  return /^[A-Za-z0-9 ._~+/=:,-]{1,512}$/.test(text);
}

export function textReply(text: string, status: number): BodyReply {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    body: Buffer.from(text),
  };
}
