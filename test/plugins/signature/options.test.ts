import t from 'tap';
import type { BriefFormat } from '../../../plugins/auth/signature/format.ts';
import { formatOf } from '../../../plugins/auth/signature/format.ts';
import signature from '../../../plugins/auth/signature/index.ts';
import type { Options } from '../../../plugins/auth/signature/options.gen.ts';
import { OptionsError, type OptionsFinding, type OptionsProblem } from '../../../src/contract/index.ts';
import { pluginContext, requestHead } from '../../support/exchange.ts';
import { hmac, keyPairs, now, seconds } from './samples.ts';

type SomeOptions = Partial<Options> & Pick<Options, 'scheme'>;

function created(options: SomeOptions) {
  const findings: OptionsFinding[] = [];
  const context = { ...pluginContext, report: (finding: OptionsFinding) => findings.push(finding) };
  const withKeys = { ...(!options.publicKeys && { secrets: ['secret'] }), tolerance: 300_000, ...options };
  try {
    const auth = signature.create({ ...context, apiKeys: [], projects: [] }, withKeys);
    return { auth, findings, problems: [] as readonly OptionsProblem[] };
  } catch (error) {
    if (OptionsError.is(error)) return { auth: undefined, findings, problems: error.problems };
    throw error;
  }
}

const custom = (format: BriefFormat): SomeOptions => ({ scheme: 'custom', custom: formatOf(format) });

t.test('a secret of a recognizable other form is refused, or taken for what it is', async (t) => {
  const base64 = Buffer.from('key of the tests').toString('base64');
  const body = '{}';
  for (const secret of [`whsec_${base64}`, `v1,whsec_${base64}`]) {
    for (const scheme of ['standard-webhooks', 'svix', 'gitlab'] as const) {
      const { auth, findings, problems } = created({ scheme, secrets: [secret] });
      t.strictSame([findings, problems], [[], []], `${scheme} ${secret}`);
      const made = hmac(Buffer.from('key of the tests'), `m.${seconds}.${body}`, 'base64');
      const names = scheme === 'svix' ? 'svix' : 'webhook';
      const headers = { [`${names}-id`]: 'm', [`${names}-timestamp`]: seconds, [`${names}-signature`]: `v1,${made}` };
      const result = auth?.authenticate({ ...requestHead(headers), receivedAt: now });
      t.match(result?.kind === 'needs_body' && result.verify(Buffer.from(body)), { kind: 'authenticated' });
    }
  }
  const form = { header: 'x-a', algorithm: 'sha256', encoding: 'hex', prefix: '' } as const;
  const texts: readonly SomeOptions[] = [
    { scheme: 'github' },
    { scheme: 'slack' },
    { scheme: 'hmac', hmac: form },
    custom({ signature: 'header:x-a' }),
  ];
  for (const options of texts) {
    const refused = created({ ...options, secrets: ['good', `v1,whsec_${base64}`] });
    t.match(refused.problems, [{ pointer: '/secrets/1', message: /v1,whsec_/, hint: /standard-webhooks/ }]);
    const warned = created({ ...options, secrets: [`whsec_${base64}`] });
    t.match(warned.findings, [{ severity: 'warning', pointer: '/secrets/0', message: /taken as text/ }]);
  }
  t.strictSame(created({ scheme: 'stripe', secrets: ['whsec_abc'] }).findings, [], 'Stripe issues such secrets');
  t.match(created({ scheme: 'stripe', secrets: [`v1,whsec_${base64}`] }).problems, [{ pointer: '/secrets/0' }]);
  const keys = [
    'whpk_AAAA',
    'whsk_AAAA',
    '-----BEGIN PUBLIC KEY-----',
    'sk_live_1',
    'rk_test_1',
    'ghp_a',
    'glpat-a',
    'xoxb-1',
  ];
  for (const secret of keys) {
    for (const scheme of ['github', 'stripe', 'standard-webhooks'] as const) {
      t.match(created({ scheme, secrets: [secret] }).problems, [{ pointer: '/secrets/0' }], `${scheme} ${secret}`);
    }
  }
  for (const message of created({ scheme: 'github', secrets: ['sk_live_hush'] }).problems.map(String)) {
    t.notMatch(message, /hush/);
  }
});

t.test('secrets and public keys must be those that the scheme needs', async (t) => {
  const key = keyPairs.rawEd25519.toString('hex');
  const pointers = (options: SomeOptions) => created(options).problems.map(({ pointer }) => pointer);
  const { p256, ed25519 } = keyPairs;
  const pem = ed25519.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  for (const text of [key, key.toUpperCase(), keyPairs.rawEd25519.toString('base64'), pem, ` ${key}\n`]) {
    t.strictSame(pointers({ scheme: 'discord', publicKeys: [text] }), [], text);
  }
  const spki = p256.publicKey.export({ format: 'der', type: 'spki' });
  t.strictSame(pointers({ scheme: 'sendgrid', publicKeys: [spki.toString('base64')] }), []);
  const privatePem = ed25519.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  for (const text of ['', 'x', key.slice(2), spki.toString('base64'), privatePem, 'whsk_AAAA', '{}']) {
    t.strictSame(pointers({ scheme: 'discord', publicKeys: [key, text] }), ['/publicKeys/1'], text);
  }
  t.strictSame(pointers({ scheme: 'sendgrid', publicKeys: [key] }), ['/publicKeys/0'], 'a key of another type');
  t.strictSame(pointers({ scheme: 'discord', secrets: ['secret'] }), ['', '/secrets']);
  t.strictSame(pointers({ scheme: 'github', publicKeys: [key] }), ['', '/publicKeys']);
  t.match(
    signatureProblems(() => signature.create(bare, { scheme: 'github', tolerance: 1 })),
    [{ pointer: '', message: /`secrets`/ }],
  );
  t.match(
    signatureProblems(() => signature.create(bare, { scheme: 'discord', tolerance: 1 })),
    [{ pointer: '', message: /`publicKeys`/ }],
  );
  for (const [form, good, bad] of [
    ['hex', 'c0ffee', 'coffee'],
    ['base64', 'AAAA', 'A'],
    ['whsec', 'whsec_AAAA', 'whsec_A'],
  ] as const) {
    const options = custom({ signature: 'header:x-a', key: form });
    t.strictSame(pointers({ ...options, secrets: [good] }), []);
    t.strictSame(pointers({ ...options, secrets: [bad] }), ['/secrets/0']);
  }
});

const bare = { ...pluginContext, apiKeys: [], projects: [] };

function signatureProblems(create: () => unknown): readonly OptionsProblem[] {
  try {
    create();
    return [];
  } catch (error) {
    return OptionsError.is(error) ? error.problems : [];
  }
}

t.test('a custom format that is insecure or contradictory is refused', async (t) => {
  const signed = 'header:x-a';
  const when = { 'header:x-e': 'ping' };
  const refused: readonly [BriefFormat, string][] = [
    [{ signature: signed, timestamp: 'header:x-t', payload: '{body}' }, '/custom/payload'],
    [{ signature: signed, payload: '{timestamp}.{body}' }, '/custom/payload'],
    [{ signature: signed, payload: '{id}.{body}' }, '/custom/payload'],
    [{ signature: signed, payload: '{bdoy}' }, '/custom/payload'],
    [{ signature: signed, payload: '{url}', bodyHash: 'header:x-h' }, '/custom/payload'],
    [{ signature: signed, payload: '{path}', bodyHash: 'query:h' }, '/custom/payload'],
    [{ signature: signed, id: 'body:/id' }, '/custom/id'],
    [{ signature: 'body:/signature' }, '/custom/payload'],
    [{ signature: signed, algorithm: 'token', payload: '{body}' }, '/custom/payload'],
    [{ signature: signed, algorithm: 'token', timestamp: 'header:x-t' }, '/custom/timestamp'],
    [{ signature: signed, handshakes: [{ when: { 'cookie:a': 'b' } }] }, '/custom/handshakes/0/when'],
    [{ signature: signed, handshakes: [{ when: { 'body:/a': 'b' }, signed: false }] }, '/custom/handshakes/0/when'],
    [
      { signature: signed, handshakes: [{ when }, { when, signed: false, text: '{hmac:query:a}' }] },
      '/custom/handshakes/1',
    ],
    [{ signature: signed, algorithm: 'token', handshakes: [{ when, text: '{hmac:query:a}' }] }, '/custom/handshakes/0'],
    [{ signature: signed, handshakes: [{ when, text: 'a', json: {} }] }, '/custom/handshakes/0'],
  ];
  for (const [format, pointer] of refused) {
    t.strictSame(
      [...new Set(created(custom(format)).problems.map((one) => one.pointer))],
      [pointer],
      JSON.stringify(format),
    );
  }
  t.match(created(custom({ signature: signed, payload: '{bdoy}' })).problems, [
    { message: '{bdoy} is not a placeholder' },
  ]);
  t.match(created(custom({ signature: signed, handshakes: [{ when: { 'cookie:a': 'b' } }] })).problems, [
    { message: 'cookie:a is not a place in a request' },
  ]);
  t.match(created({ scheme: 'custom' }).problems, [{ pointer: '/scheme', message: /`custom`/ }]);
  t.match(created({ ...custom({ signature: signed }), scheme: 'github' }).problems, [{ pointer: '/custom' }]);
  for (const format of [
    { signature: signed },
    { signature: signed, payload: '{url}', bodyHash: 'query:h' },
    { signature: signed, payload: '{header:x-h}', bodyHash: 'header:x-h' },
    { signature: signed, timestamp: 'query:t', payload: '{url}{body}' },
    { signature: 'query:signature', payload: '{method} {path} {header:x-tenant} {body}' },
    { signature: signed, timestamp: 'body:/at' },
  ]) {
    const { findings, problems } = created(custom(format));
    t.strictSame([findings, problems], [[], []], JSON.stringify(format));
  }
  const { findings } = created(custom({ signature: signed, payload: '{path}' }));
  t.match(findings, [{ severity: 'warning', pointer: '/custom', message: /the body is not signed/ }]);
});
