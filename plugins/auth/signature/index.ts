import type {
  AuthPlugin,
  AuthVerdict,
  BodyMembers,
  Principal,
  RequestHead,
  SenderEvent,
} from '../../../src/contract/index.ts';
import { abstained, rejected } from '../verdicts.ts';
import { challengeAnswerer } from './challenge.ts';
import { checkOptions, type KeyedFormat } from './checked-options.ts';
import { describedEvent, eventReader } from './event.ts';
import { keyKindOf } from './format.ts';
import { type Handshake, handshakeOf } from './handshake.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { formatsOfUnresolved, presetBody } from './presets.ts';
import { publicUrls } from './public-url.ts';
import { type HeadOutcome, type Outcome, type Scheme, schemeOf } from './scheme.ts';
import { sign } from './sign.ts';
import { parseSource } from './source.ts';
import { secretFinder, type Verifier } from './verifier.ts';

export default {
  contract: 'v1',
  stage: 'auth',
  name: 'signature',
  summary:
    'Knows a sender by its signature: GitHub, Slack, Stripe, Twilio, Standard Webhooks and others, or as described.',
  optionsSchema: schema,
  review: (options) => ({
    callers: { kind: 'holders', prefix: 'signature:' },
    body: presetBody(options.scheme),
    eventOf: (request) => describedEvent(formatsOfUnresolved(options), request),
  }),
  sign,
  create(context, options) {
    const formats = checkOptions(options, (finding) => context.report(finding));
    const { challenge, name = options.scheme } = options;
    const answerChallenge = challenge && challengeAnswerer(challenge);
    const senders = sendersOf(formats, options, `signature:${name}`);
    return {
      credentials: credentialsOf(formats),
      authenticate(request) {
        let seen: AuthVerdict = abstained;
        for (const { scheme, greet, conclude } of senders) {
          const early = greet(request);
          if (early !== undefined) return early;
          const outcome = scheme.read(request);
          if (outcome.kind === 'absent') continue;
          if (outcome.kind === 'needs_body') {
            return {
              kind: 'needs_body',
              verify: (body: Uint8Array, members?: BodyMembers) =>
                members === undefined
                  ? conclude(outcome.verify(body), request, body)
                  : verifyLate({ body, members, request, readsBody: scheme.readsBody, outcome, conclude }),
            };
          }
          if (outcome.kind !== 'malformed') return conclude(outcome, request, noBody);
          // Another format of the sender may have the same header.
          seen = refusals.malformed;
        }
        return seen === abstained ? (answerChallenge?.(request) ?? abstained) : seen;
      },
    };
  },
} satisfies AuthPlugin<Options>;

const noBody = new Uint8Array();

interface Late extends Pick<Sender, 'conclude'> {
  readonly body: Uint8Array;
  readonly members: BodyMembers;
  readonly request: RequestHead;
  readonly readsBody: boolean;
  readonly outcome: Extract<HeadOutcome, { kind: 'needs_body' }>;
}

/** Of a body whose members must be decoded first: not before its bytes are known to be signed, if they are what is signed. */
async function verifyLate({ body, members, request, readsBody, outcome, conclude }: Late): Promise<AuthVerdict> {
  const early = readsBody ? undefined : outcome.verify(body, noBody);
  if (early !== undefined && early.kind !== 'verified') return conclude(early, request, noBody);
  const json = (await members()) ?? noBody;
  return conclude(early ?? outcome.verify(body, json), request, json);
}

const refusals: Readonly<Record<Exclude<Outcome['kind'], 'verified'>, AuthVerdict>> = {
  absent: abstained,
  malformed: rejected('malformed signature'),
  untimely: rejected('signature too old, or from the future'),
  wrong: rejected('wrong signature'),
  'wrong token': rejected('wrong token'),
};

/** One format of a sender, and what follows from its signatures. */
interface Sender {
  readonly scheme: Scheme;
  /** Answers a handshake that need not be signed. */
  greet(request: RequestHead): AuthVerdict | undefined;
  conclude(outcome: Outcome, request: RequestHead, body: Uint8Array): AuthVerdict;
}

function sendersOf(formats: readonly KeyedFormat[], options: Options, id: string): readonly Sender[] {
  const parts = {
    findSecret: secretFinder(options.secrets ?? []),
    toleranceMs: options.tolerance,
    urlsOf: publicUrls(options.publicUrl),
  };
  return formats.map(({ format, verifier }) => {
    const { handshakes = [] } = format;
    const principals = principalsOf(id, format, options);
    const eventOf = eventReader(format.event);
    const signed = handshakes.filter((handshake) => handshake.signed).map(handshakeOf);
    const open = handshakes.filter((handshake) => !handshake.signed).map(handshakeOf);
    return {
      scheme: schemeOf(format, { ...parts, verifier }),
      greet: (request) => answer(open, request, noBody, () => undefined),
      conclude(outcome, request, body) {
        if (outcome.kind !== 'verified') return refusals[outcome.kind];
        const greeting = answer(signed, request, body, hmacWith(verifier, outcome.key));
        return greeting ?? authenticated(principals(outcome.key), eventOf?.(request));
      },
    };
  });
}

function answer(
  handshakes: readonly Handshake[],
  request: RequestHead,
  body: Uint8Array,
  hmac: (text: string) => string | undefined,
): AuthVerdict | undefined {
  for (const handshake of handshakes) {
    const verdict = handshake({ request, body, hmac });
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

function hmacWith(verifier: Verifier, key: number): (text: string) => string | undefined {
  return (text) => verifier.hmac?.(key, text);
}

function authenticated(principal: Principal, event: SenderEvent | undefined): AuthVerdict {
  return event === undefined ? { kind: 'authenticated', principal } : { kind: 'authenticated', principal, event };
}

/**
 * The sender, by the position of the key that it used. Signatures carry no project: a sender may fire every trigger that
 * lists this plugin.
 */
function principalsOf(id: string, format: KeyedFormat['format'], options: Options): (key: number) => Principal {
  const list = keyKindOf(format) === 'public' ? 'publicKeys' : 'secrets';
  const sender = { id, permissions: new Set(['project.trigger'] as const), projects: 'all' } as const;
  const known = (options[list] ?? []).map((_, index) => Object.freeze({ ...sender, credential: `${list}[${index}]` }));
  return (key) => known[key] ?? sender;
}

function credentialsOf(formats: readonly KeyedFormat[]) {
  const places = formats.map(({ format }) => ({ format, source: parseSource(format.signature) }));
  const headers = places.flatMap(({ source }) => (source?.kind === 'header' ? [source.name] : []));
  return {
    headers: [...new Set(headers)],
    query: places.flatMap(({ source }) => (source?.kind === 'query' ? [source.name] : [])),
    mayNeedBody: places.some(({ format, source }) => keyKindOf(format) !== 'token' || source?.kind === 'body'),
    mayLackHeaders: places.some(({ source }) => source?.kind !== 'header'),
  };
}
