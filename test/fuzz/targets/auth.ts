import { createHmac, createPrivateKey, createPublicKey, hash } from 'node:crypto';
import { SignJWT } from 'jose';
import apiKey from '../../../plugins/auth/api-key/index.ts';
import basic from '../../../plugins/auth/basic/index.ts';
import jwt from '../../../plugins/auth/jwt/index.ts';
import { parsePublicKey } from '../../../plugins/auth/jwt/local-key.ts';
import signature from '../../../plugins/auth/signature/index.ts';
import type { Auth, AuthVerdict } from '../../../src/contract/index.ts';
import { pluginContext, requestHead } from '../../support/exchange.ts';
import { partsOf } from '../engine/mutate.ts';
import { type Outcome, promised, type Target } from '../engine/target.ts';

const now = Date.UTC(2027, 5, 30, 12);
const secret = 'secret of the tests';
const body = '{"type":"url_verification","challenge":"abc"}';
const sha256 = hash('sha256', secret);
const context = {
  ...pluginContext,
  apiKeys: [
    {
      id: 'website',
      status: 'active' as const,
      secrets: [{ sha256, expiresAt: undefined }],
      permissions: [],
      projects: ['*'],
    },
  ],
  projects: ['support'],
};

const mac = (text: string) => createHmac('sha256', secret).update(text).digest('hex');
const seconds = now / 1000;
const standard = createHmac('sha256', secret).update(`msg_1.${seconds}.${body}`).digest('base64');
const schemes = ['github', 'slack', 'stripe', 'standard-webhooks'] as const;

/** Requests with the signatures of each scheme, a header a line. */
const signedHeads = [
  `x-hub-signature-256: sha256=${mac(body)}`,
  `x-slack-signature: v0=${mac(`v0:${seconds}:${body}`)}\nx-slack-request-timestamp: ${seconds}`,
  `stripe-signature: t=${seconds},v1=${mac(`${seconds}.${body}`)},v0=${mac('')}`,
  `webhook-signature: v1,${standard} v1a,x\nwebhook-id: msg_1\nwebhook-timestamp: ${seconds}`,
];

/** Signatures of webhooks: only the sender's own are accepted, and nothing that a header holds is a crash. */
export const webhookSignatures: Target = {
  name: 'webhook-signatures',
  shape: 'text and json',
  words: [
    ...[
      'sha256=',
      'v0=',
      'v1=',
      't=',
      'v1,',
      ',',
      ' ',
      '\n',
      'x-hub-signature-256: ',
      'stripe-signature: ',
      'webhook-signature: ',
    ],
    ...[
      'whsec_',
      String(seconds),
      `${seconds}000`,
      '9999999999999',
      mac(body),
      standard,
      'url_verification',
      'hub.challenge=abc',
      '?',
    ],
  ],
  seeds: () => signedHeads.map((head) => `${head}\n\n${body}`),
  open() {
    const auths = schemes.map((scheme) =>
      signature.create(context, {
        ...{ scheme, secrets: [secret], tolerance: 300_000 },
        challenge: { parameter: 'hub.challenge', tokenParameter: 'hub.verify_token', token: 'token' },
      }),
    );
    return {
      async run(input) {
        const [head, sent] = partsOf(input);
        const request = { ...requestHead(headersIn(head.toString('latin1'))), receivedAt: now };
        const verdicts = await Promise.all(auths.map((auth) => verdictOf(auth, request, sent)));
        const accepted = verdicts.filter(({ kind }) => kind === 'authenticated' || kind === 'handshake').length;
        if (accepted > 0)
          promised(isSigned(head.toString('latin1'), sent), 'only a signature by the secret is accepted');
        return outcomeOf(verdicts);
      },
    };
  },
};

/** Whether the headers hold an HMAC of this body, with any part of them as the signed id and time. */
function isSigned(head: string, sent: Buffer): boolean {
  const parts = [...head.matchAll(/[^\s,=:]+/g)].map(([part]) => part);
  const ids = [...head.matchAll(/(?<=:).*/g)].map(([value]) => value.trim());
  const prefixes = parts.flatMap((part) => [`${part}.`, `v0:${part}:`, ...ids.map((id) => `${id}.${part}.`)]);
  const written = head.replaceAll('-', '+').replaceAll('_', '/');
  return ['', ...prefixes].some((prefix) => {
    const digest = createHmac('sha256', secret).update(prefix).update(sent).digest();
    // The last character of base64 has bits that do not count.
    return (
      head.toLowerCase().includes(digest.toString('hex')) || written.includes(digest.toString('base64').slice(0, 42))
    );
  });
}

/** API keys, passwords and tokens. Only the genuine ones are accepted. */
export const credentials: Target = {
  name: 'credentials',
  shape: 'bytes',
  maxBytes: 2048,
  words: [
    'x-api-key: ',
    'authorization: ',
    'Basic ',
    'Bearer ',
    'bearer  ',
    '\n',
    '.',
    'eyJhbGciOiJub25lIn0.',
    'e30',
    '=',
    secret,
    ':',
  ],
  async *seeds() {
    yield `x-api-key: ${secret.replaceAll(' ', '-')}`;
    yield `authorization: Basic ${Buffer.from(`ann:${secret}`).toString('base64')}`;
    yield `authorization: Bearer ${await goodToken()}`;
    yield 'authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.x';
  },
  async open() {
    const auths: readonly Auth[] = [
      await apiKey.create(context, { header: 'x-api-key' }),
      await basic.create(context, {
        users: [{ name: 'ann', passwords: [secret], projects: ['*'], permissions: ['project.trigger'] }],
      }),
      await jwt.create(context, {
        ...{ publicKey: publicPem, issuer: 'https://issuer', audience: 'pullcord', algorithms: ['EdDSA'] },
        ...{
          clockTolerance: 0,
          header: 'authorization',
          projects: { claim: '/projects' },
          permissions: ['project.trigger'],
        },
      }),
    ];
    return {
      async run(input) {
        const request = { ...requestHead(headersIn(input.toString('latin1'))), receivedAt: now };
        const verdicts = await Promise.all(auths.map((auth) => verdictOf(auth, request, Buffer.alloc(0))));
        return outcomeOf(verdicts);
      },
    };
  },
};

/** Always the same, so that a run can be repeated. Its signatures have no random part either. */
const privateKey = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'OKP',
    crv: 'Ed25519',
    d: '2Dn6XumeNUFAuQqeltwP44ZTmt50LioP0mCpRdL1B9c',
    x: 'GKJhl908HnwChgbZ4I4YULOUP8AygH-VyLf5iQ0Yc8g',
  },
});
const publicKey = createPublicKey(privateKey);
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

function goodToken(): Promise<string> {
  return new SignJWT({ projects: ['support'] })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setSubject('ann')
    .setIssuer('https://issuer')
    .setAudience('pullcord')
    .setExpirationTime(now / 1000 + 60)
    .sign(privateKey);
}

/** Keys in PEM or JWK, as a config holds them. */
export const publicKeys: Target = {
  name: 'public-keys',
  weight: 40,
  shape: 'bytes',
  words: [
    '-----BEGIN PUBLIC KEY-----\n',
    '-----END PUBLIC KEY-----',
    '{"kty":"EC"',
    '"crv":"P-256"',
    '"x":"',
    '"d":"x"',
    '"kty":"oct"',
    '"k":"AA"',
  ],
  seeds: () => [
    publicPem,
    JSON.stringify(publicKey.export({ format: 'jwk' })),
    '{"kty":"OKP","crv":"Ed25519","x":"AA"}',
  ],
  open: () => ({
    run(input) {
      const parsed = parsePublicKey(input.toString());
      return parsed.ok ? { kind: 'value', code: parsed.algorithms.join(' ') } : { kind: 'refused', code: parsed.fault };
    },
  }),
};

function headersIn(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => [line.split(':', 1)[0]?.toLowerCase() ?? '', line] as const);
  return Object.fromEntries(lines.map(([name, line]) => [name, line.slice(name.length + 1).trim()]));
}

async function verdictOf(auth: Auth, request: ReturnType<typeof requestHead>, sent: Buffer): Promise<AuthVerdict> {
  const result = await auth.authenticate(request);
  return result.kind === 'needs_body' ? result.verify(sent) : result;
}

function outcomeOf(verdicts: readonly AuthVerdict[]): Outcome {
  const code = verdicts.map((verdict) => ('reason' in verdict ? verdict.reason : verdict.kind)).join(', ');
  return { kind: verdicts.some(({ kind }) => kind === 'authenticated') ? 'value' : 'refused', code };
}
