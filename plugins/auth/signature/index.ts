import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type AuthPlugin,
  type AuthVerdict,
  OptionsError,
  type OptionsProblem,
  type Principal,
} from '../../../src/contract/index.ts';
import { abstained, rejected } from '../verdicts.ts';
import { challengeIn, slackChallengeIn } from './challenge.ts';
import { faultsOfForm } from './hmac-scheme.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import type { Scheme, SignedHead } from './scheme.ts';
import { schemeOf } from './schemes.ts';

export default {
  contract: 'v1',
  stage: 'auth',
  name: 'signature',
  summary: 'Knows a sender by its signature of the body: GitHub, Slack, Stripe, Standard Webhooks, or any HMAC.',
  optionsSchema: schema,
  review: () => ({ callers: { kind: 'holders', prefix: 'signature:' } }),
  create(_context, options) {
    const { scheme, keys } = checkOptions(options);
    const { header } = scheme;
    const { tolerance: toleranceMs, challenge, name = options.scheme } = options;
    const authenticated = authenticatedAs(`signature:${name}`);
    return {
      credentials: { headers: [header], mayNeedBody: true },
      authenticate(request) {
        const field = request.headers[header];
        if (field === undefined) return (challenge && challengeIn(request, challenge)) ?? abstained;
        const signed = typeof field === 'string' ? scheme.read(field, request.headers) : undefined;
        if (signed === undefined) return malformed;
        const { timestampMs = request.receivedAt } = signed;
        if (Math.abs(request.receivedAt - timestampMs) > toleranceMs) return untimely;
        return {
          kind: 'needs_body',
          verify(body) {
            if (!isSigned(body, signed, keys, scheme)) return wrong;
            return (options.scheme === 'slack' ? slackChallengeIn(body) : undefined) ?? authenticated;
          },
        };
      },
    };
  },
} satisfies AuthPlugin<Options>;

const malformed = rejected('malformed signature');
const untimely = rejected('signature too old, or from the future');
const wrong = rejected('wrong signature');

/** Compares the digest for each key with each signature: all have one length, and no match ends the loop early. */
function isSigned(body: Uint8Array, signed: SignedHead, keys: readonly Buffer[], { algorithm }: Scheme): boolean {
  let isGood = false;
  for (const key of keys) {
    const digest = createHmac(algorithm, key).update(signed.before).update(body).update(signed.after).digest();
    for (const signature of signed.signatures) isGood = timingSafeEqual(digest, signature) || isGood;
  }
  return isGood;
}

/** Signatures carry no project: a sender may fire every trigger that lists this plugin. */
function authenticatedAs(id: string): AuthVerdict {
  const principal: Principal = { id, permissions: new Set(['project.trigger']), projects: 'all' };
  return Object.freeze({ kind: 'authenticated', principal: Object.freeze(principal) });
}

function checkOptions(options: Options): { readonly scheme: Scheme; readonly keys: readonly Buffer[] } {
  const { hmac, challenge } = options;
  const scheme = schemeOf(options.scheme, hmac);
  const problems: OptionsProblem[] = hmac === undefined ? [] : [...faultsOfForm(hmac)];
  if (scheme === undefined) {
    const hint = 'For example hmac: { header: x-acme-signature }';
    problems.push({ pointer: '/scheme', message: 'needs `hmac`, which says how the sender signs', hint });
  }
  if (hmac !== undefined && options.scheme !== 'hmac') {
    const message = `does not apply to scheme ${options.scheme}, which defines its own format`;
    problems.push({ pointer: '/hmac', message, hint: 'Remove it, or write scheme: hmac.' });
  }
  if ((challenge?.token === undefined) !== (challenge?.tokenParameter === undefined)) {
    const hint = 'Write both or neither; with neither, every challenge is answered.';
    problems.push({ pointer: '/challenge', message: 'token and tokenParameter belong together', hint });
  }
  const keys = options.secrets.map((secret) => scheme?.keyOf(secret));
  for (const [index, key] of keys.entries()) {
    if (scheme === undefined || key !== undefined) continue;
    const message = 'the secret begins with whsec_, and base64 does not follow';
    problems.push({ pointer: `/secrets/${index}`, message });
  }
  if (scheme === undefined || problems.length > 0) throw new OptionsError(problems);
  return { scheme, keys: keys.filter((key) => key !== undefined) };
}
