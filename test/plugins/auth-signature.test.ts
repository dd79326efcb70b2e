import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { sign as signAsGithub } from '@octokit/webhooks-methods';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import t from 'tap';
import signature from '../../plugins/auth/signature/index.ts';
import type { Options } from '../../plugins/auth/signature/options.gen.ts';
import { type AuthVerdict, OptionsError, type RequestHead } from '../../src/contract/index.ts';
import { basicFiles, gatewayFile, projectFile, secrets, triggerFile } from '../support/config-folder.ts';
import { pluginContext, requestHead } from '../support/exchange.ts';
import { type FireOptions, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Answer, answerOf } from '../support/send.ts';

const context = { ...pluginContext, apiKeys: [], projects: ['support', 'shop', 'sales'] };
const stripe = new Stripe('sk_test_of_nobody');
const now = Date.UTC(2027, 5, 30, 12);
const nowSeconds = String(now / 1000);

function authOf(options: Partial<Options> & Pick<Options, 'scheme'>) {
  return signature.create(context, { secrets: ['secret'], tolerance: 300_000, ...options });
}

type Auth = ReturnType<typeof authOf>;

async function verdictOf(
  auth: Auth,
  headers: RequestHead['headers'],
  body: Uint8Array | string,
  receivedAt = now,
): Promise<AuthVerdict> {
  const result = await auth.authenticate({ ...requestHead(headers), receivedAt });
  return result.kind === 'needs_body' ? result.verify(Buffer.from(body)) : result;
}

const hmac = (secret: string | Buffer, content: string | Buffer, algorithm = 'sha256') =>
  createHmac(algorithm, secret).update(content).digest();

/** A body as a webhook may have it: bytes that are UTF-8, and that another encoding or parser would change. */
const body = '{"id": "evt_1", "text":"süß \\u00e9 💶", "amount": 1.50}\n';

/** How each sender signs, by code that is not ours. */
const senders: Readonly<Record<string, { options: Pick<Options, 'scheme' | 'hmac'>; headers: typeof signed }>> = {
  github: {
    options: { scheme: 'github' },
    headers: async (secret, content) => ({ 'x-hub-signature-256': await signAsGithub(secret, content) }),
  },
  stripe: {
    options: { scheme: 'stripe' },
    headers: async (secret, payload, timestampMs) => ({
      'stripe-signature': stripe.webhooks.generateTestHeaderString({
        ...{ payload, secret, timestamp: timestampMs / 1000 },
      }),
    }),
  },
  'standard webhooks': {
    options: { scheme: 'standard-webhooks' },
    headers: async (secret, content, timestampMs) => ({
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(timestampMs / 1000),
      'webhook-signature': new Webhook(secret, { format: 'raw' }).sign('msg_1', new Date(timestampMs), content),
    }),
  },
};

declare function signed(secret: string, content: string, timestampMs: number): Promise<Record<string, string>>;

const timed = Object.entries(senders).filter(([name]) => name !== 'github');

t.test('signatures made by the libraries of the senders', async (t) => {
  for (const [name, { options, headers }] of Object.entries(senders)) {
    await t.test(`signature verifies what ${name} signs, by any of its secrets, and nothing else`, async (t) => {
      const auth = authOf({ ...options, secrets: ['old secret', 'new secret'] });
      for (const secret of ['old secret', 'new secret']) {
        t.match(await verdictOf(auth, await headers(secret, body, now), body), {
          kind: 'authenticated',
          principal: {
            id: `signature:${options.scheme}`,
            permissions: new Set(['project.trigger']),
            projects: 'all',
          },
        });
      }
      t.match(await verdictOf(auth, await headers('foreign', body, now), body), { kind: 'rejected' }, 'foreign secret');
      const sent = await headers('new secret', body, now);
      for (const changed of ['', `${body} `, body.replace('1.50', '1.5'), body.replace('\\u00e9', 'é')]) {
        t.match(await verdictOf(auth, sent, changed), { kind: 'rejected', reason: 'wrong signature' }, changed);
      }
    });
  }
});

t.test('a whsec_ secret is base64 for Standard Webhooks and plain text for Stripe', async (t) => {
  const secret = `whsec_${Buffer.from('key of the tests').toString('base64')}`;
  const webhook = new Webhook(secret).sign('msg_1', new Date(now), body);
  const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': nowSeconds, 'webhook-signature': webhook };
  const webhooks = authOf({ scheme: 'standard-webhooks', secrets: [secret] });
  t.match(await verdictOf(webhooks, headers, body), { kind: 'authenticated' });
  const stripeHeaders = await senders.stripe?.headers(secret, body, now);
  const auth = authOf({ scheme: 'stripe', secrets: [secret] });
  t.match(await verdictOf(auth, stripeHeaders ?? {}, body), { kind: 'authenticated' });
});

t.test('signature accepts the examples in the documentation of Slack, GitHub and Standard Webhooks', async (t) => {
  const slackBody =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
  const slack = authOf({ scheme: 'slack', secrets: ['8f742231b10e8888abcd99yyyzzz85a5'] });
  const slackHeaders = {
    'x-slack-request-timestamp': '1531420618',
    'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
  };
  t.match(await verdictOf(slack, slackHeaders, slackBody, 1531420618_000), { kind: 'authenticated' });
  const github = authOf({ scheme: 'github', secrets: ["It's a Secret to Everybody"] });
  const githubHeaders = {
    'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
  };
  t.match(await verdictOf(github, githubHeaders, 'Hello, World!'), { kind: 'authenticated' });
  const webhooks = authOf({ scheme: 'standard-webhooks', secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] });
  const webhookHeaders = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };
  t.match(await verdictOf(webhooks, webhookHeaders, '{"test": 2432232314}', 1614265330_000), { kind: 'authenticated' });
});

t.test('signature with scheme hmac', async (t) => {
  const header = 'X-Acme-Signature';
  const forms: readonly [NonNullable<Options['hmac']>, Record<string, string>][] = [
    [
      { header, algorithm: 'sha256', encoding: 'hex', prefix: '' },
      { 'x-acme-signature': hmac('secret', body).toString('hex') },
    ],
    [
      { header, algorithm: 'sha512', encoding: 'base64', prefix: 'v2:' },
      { 'x-acme-signature': `v2:${hmac('secret', body, 'sha512').toString('base64')}` },
    ],
    [
      { header, algorithm: 'sha1', encoding: 'hex', prefix: 'sha1=' },
      { 'x-acme-signature': `sha1=${hmac('secret', body, 'sha1').toString('hex').toUpperCase()}` },
    ],
    [
      { header, algorithm: 'sha384', encoding: 'base64', prefix: '', timestampHeader: 'X-Acme-Time' },
      {
        'x-acme-time': String(now),
        'x-acme-signature': hmac('secret', `${now}.${body}`, 'sha384').toString('base64url'),
      },
    ],
    [
      {
        ...{ header, algorithm: 'sha256', encoding: 'hex', prefix: '', timestampHeader: 'X-Acme-Time' },
        payload: '<{timestamp}|{body}|{timestamp}>',
      },
      {
        'x-acme-time': nowSeconds,
        'x-acme-signature': hmac('secret', `<${nowSeconds}|${body}|${nowSeconds}>`).toString('hex'),
      },
    ],
  ];
  for (const [form, headers] of forms) {
    const shape = `${form.algorithm}, ${form.encoding}, ${form.payload ?? (form.timestampHeader ? 'with a timestamp' : 'body alone')}`;
    await t.test(`signature verifies an HMAC of the declared form: ${shape}`, async (t) => {
      const auth = authOf({ scheme: 'hmac', hmac: form, name: 'acme' });
      t.match(await verdictOf(auth, headers, body), { kind: 'authenticated', principal: { id: 'signature:acme' } });
      t.match(await verdictOf(auth, headers, `${body} `), { kind: 'rejected' });
      const cut = headers['x-acme-signature']?.slice(0, -4);
      const shorter = await verdictOf(auth, { ...headers, 'x-acme-signature': cut }, body);
      t.strictSame(shorter, { kind: 'rejected', reason: 'malformed signature' });
    });
  }
});

t.test('age of a signature', async (t) => {
  for (const [name, { options, headers }] of timed) {
    await t.test(`signature accepts one of ${name} up to its tolerance old or ahead`, async (t) => {
      const auth = authOf({ ...options, tolerance: 60_000 });
      for (const [ageMs, kind] of [
        [60_000, 'authenticated'],
        [61_000, 'rejected'],
        [-60_000, 'authenticated'],
        [-61_000, 'rejected'],
      ] as const) {
        const verdict = await verdictOf(auth, await headers('secret', body, now - ageMs), body);
        t.equal(verdict.kind, kind, `${ageMs} ms old`);
      }
    });
  }
  await t.test('signature accepts one of github of any age, since GitHub signs no time', async (t) => {
    const github = authOf({ scheme: 'github' });
    const headers = { 'x-hub-signature-256': await signAsGithub('secret', body) };
    t.match(await verdictOf(github, headers, body, now + 1e12), { kind: 'authenticated' });
  });
});

t.test('signature accepts a valid one among a few signatures in a header, and rejects too many', async (t) => {
  const digest = hmac('secret', `${nowSeconds}.${body}`);
  const [good, other] = [digest.toString('hex'), hmac('other', body).toString('hex')];
  const auth = authOf({ scheme: 'stripe' });
  const kindOf = async (field: string) => (await verdictOf(auth, { 'stripe-signature': field }, body)).kind;
  t.equal(await kindOf(`t=${nowSeconds},v1=${other},v1=${good}`), 'authenticated');
  t.equal(await kindOf(`t=${nowSeconds},v0=x,v1=00,v1=${good},v2=y`), 'authenticated');
  t.equal(await kindOf(`t=${nowSeconds},v0=${good}`), 'rejected', 'a signature of another version');
  t.equal(await kindOf(`t=${nowSeconds}${`,v1=${other}`.repeat(14)},v1=${good}`), 'authenticated');
  t.equal(await kindOf(`t=${nowSeconds}${`,v1=${other}`.repeat(15)},v1=${good}`), 'rejected');

  const webhooks = authOf({ scheme: 'standard-webhooks' });
  const v1 = `v1,${hmac('secret', `msg_1.${nowSeconds}.${body}`).toString('base64')}`;
  const wrong = `v1,${hmac('other', body).toString('base64')}`;
  const webhookKind = async (field: string) => {
    const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': nowSeconds, 'webhook-signature': field };
    return (await verdictOf(webhooks, headers, body)).kind;
  };
  t.equal(await webhookKind(`v1a,x ${wrong} ${v1}`), 'authenticated');
  t.equal(await webhookKind(v1.replace('v1,', 'v2,')), 'rejected');
  t.equal(await webhookKind(`${`${wrong} `.repeat(16)}${v1}`), 'rejected');
});

t.test('an id with a dot is refused: a part of an old body would pass for a new time', async (t) => {
  const day = 24 * 3600_000;
  const old = String((now - day) / 1000);
  const event = '{"type":"user.created"}';
  for (const [scheme, names] of [
    ['standard-webhooks', 'webhook'],
    ['svix', 'svix'],
    ['gitlab', 'webhook'],
  ] as const) {
    const auth = authOf({ scheme, secrets: [`whsec_${Buffer.from('secret').toString('base64')}`] });
    const signature = `v1,${hmac('secret', `a.${old}.x.${nowSeconds}.${event}`).toString('base64')}`;
    const headersOf = (id: string, time: string) => ({
      [`${names}-id`]: id,
      [`${names}-timestamp`]: time,
      [`${names}-signature`]: signature,
    });
    const original = await verdictOf(auth, headersOf('a', old), `x.${nowSeconds}.${event}`, now - day);
    t.match(original, { kind: 'authenticated' }, `${scheme}: as it was signed`);
    const forged = await verdictOf(auth, headersOf(`a.${old}.x`, nowSeconds), event);
    t.strictSame(forged, { kind: 'rejected', reason: 'malformed signature' }, `${scheme}: cut elsewhere`);
  }
});

t.test('malformed signatures', async (t) => {
  const hex = hmac('secret', body).toString('hex');
  const odd: Readonly<Record<string, readonly (string | readonly string[])[]>> = {
    github: ['', 'sha256=', hex, `sha1=${hex}`, `sha256=${hex}0`, `sha256=${hex.slice(2)}`, `sha256=${'é'.repeat(64)}`],
    slack: ['', 'v0=', `v1=${hex}`, `v0=${hex}`, `v0=${hex}, v0=${hex}`],
    stripe: [
      '',
      't=',
      `v1=${hex}`,
      `t=x,v1=${hex}`,
      `t=1e9,v1=${hex}`,
      `t=-1,v1=${hex}`,
      `t=${nowSeconds},t=1,v1=${hex}`,
    ],
    'standard-webhooks': ['', 'v1', 'v1,', `v1,${hex}`, 'v1,====', `v1=${hex}`],
  };
  for (const [scheme, fields] of Object.entries(odd)) {
    const auth = authOf({ scheme: scheme as Options['scheme'] });
    const [header = ''] = auth.credentials.headers;
    for (const field of [...fields, [hex, hex]]) {
      const shown = JSON.stringify(field).replaceAll(hex, '<hex>').slice(0, 60);
      await t.test(`signature with scheme ${scheme} rejects the malformed header ${shown}`, async (t) => {
        const verdict = await verdictOf(auth, { [header]: field }, body);
        t.strictSame(verdict, { kind: 'rejected', reason: 'malformed signature' });
      });
    }
    await t.test(`signature with scheme ${scheme} abstains without its header`, async (t) => {
      t.strictSame(await verdictOf(auth, { 'x-other': hex }, body), { kind: 'abstained' });
    });
  }
  const slack = authOf({ scheme: 'slack' });
  for (const timestamp of [undefined, '', ' 1', '1.5', '0x10', '1'.repeat(14), `${nowSeconds}, 1`, ['1']]) {
    await t.test(
      `signature with scheme slack rejects the malformed timestamp ${JSON.stringify(timestamp)}`,
      async (t) => {
        const headers = { 'x-slack-signature': `v0=${hex}`, 'x-slack-request-timestamp': timestamp };
        t.match(await verdictOf(slack, headers, body), { reason: 'malformed signature' });
      },
    );
  }
});

t.test('signature verifies any bytes under their own secret only, and throws for no header', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.uniqueArray(fc.string({ minLength: 1, unit: 'binary' }), { minLength: 2, maxLength: 8 }),
      fc.nat(),
      async (bytes, [foreign = '', ...own], at) => {
        const auth = authOf({ scheme: 'github', secrets: own as [string, ...string[]] });
        const header = (secret: string) => ({
          'x-hub-signature-256': `sha256=${hmac(secret, Buffer.from(bytes)).toString('hex')}`,
        });
        const verdict = await verdictOf(auth, header(own[at % own.length] ?? ''), bytes);
        const stranger = await verdictOf(auth, header(foreign), bytes);
        const longer = await verdictOf(auth, header(own[0] ?? ''), Buffer.concat([bytes, Buffer.of(0)]));
        return verdict.kind === 'authenticated' && stranger.kind === 'rejected' && longer.kind === 'rejected';
      },
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('github', 'slack', 'stripe', 'standard-webhooks' as const),
      fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^(t=\d{9,13}|v[01][=,][\da-f]{0,70}|sha256=|[ ,])*$/)),
      fc.stringMatching(/^\d{0,14}$/),
      async (scheme, field, timestamp) => {
        const auth = authOf({ scheme: scheme as Options['scheme'] });
        const [header = ''] = auth.credentials.headers;
        const times = { 'webhook-id': 'a', 'webhook-timestamp': timestamp, 'x-slack-request-timestamp': timestamp };
        return (await verdictOf(auth, { ...times, [header]: field }, body)).kind === 'rejected';
      },
    ),
  );
});

t.test('signature: refused options', async (t) => {
  const form = { header: 'x-a', algorithm: 'sha256', encoding: 'hex', prefix: '' } as const;
  const refused: readonly [Partial<Options> & Pick<Options, 'scheme'>, string][] = [
    [{ scheme: 'hmac' }, '/scheme'],
    [{ scheme: 'github', hmac: form }, '/hmac'],
    [{ scheme: 'hmac', hmac: { ...form, payload: '{timestamp}' } }, '/hmac/payload'],
    [{ scheme: 'hmac', hmac: { ...form, payload: '{body}{body}' } }, '/hmac/payload'],
    [{ scheme: 'hmac', hmac: { ...form, payload: '{timestamp}.{body}' } }, '/hmac/payload'],
    [{ scheme: 'hmac', hmac: { ...form, timestampHeader: 'x-t', payload: '{body}' } }, '/hmac/payload'],
    [{ scheme: 'github', challenge: { parameter: 'a', token: 'b' } }, '/challenge'],
    [{ scheme: 'standard-webhooks', secrets: ['good', 'whsec_no base64'] }, '/secrets/1'],
    [{ scheme: 'standard-webhooks', secrets: ['whsec_'] }, '/secrets/0'],
  ];
  for (const [options, pointer] of refused) {
    await t.test(`signature refuses options at ${pointer}: ${JSON.stringify(options)}`, async (t) => {
      t.strictSame(faultsOf(options), [pointer]);
    });
  }
  await t.test('signature accepts the scheme hmac with a form', async (t) => {
    t.strictSame(faultsOf({ scheme: 'hmac', hmac: form }), []);
  });
});

function faultsOf(options: Parameters<typeof authOf>[0]): readonly string[] {
  try {
    authOf(options);
    return [];
  } catch (error) {
    return OptionsError.is(error) ? error.problems.map(({ pointer }) => pointer) : ['a throw'];
  }
}

const secretFile = { file: 'shared.secret' };
const github = { uses: 'signature', with: { scheme: 'github', secrets: [secretFile] } };
const slack = { uses: 'signature', with: { scheme: 'slack', secrets: [secretFile] } };
const token = { tokenParameter: 'hub.verify_token', token: { file: 'verify.token' } };
const meta = { uses: 'signature', with: { ...github.with, challenge: { parameter: 'hub.challenge', ...token } } };
const keyed = { uses: 'api-key' };

function files(): Record<string, string> {
  return {
    ...basicFiles(),
    'shared.secret': 'secret\n',
    'verify.token': 'token of the tests',
    'other.yaml': projectFile('other'),
    'hook.yaml': triggerFile('hook', { auth: github }),
    'foreign.yaml': triggerFile('foreign', { auth: github, project: 'other' }),
    'slack.yaml': triggerFile('slack', { auth: slack }),
    'meta.yaml': triggerFile('meta', { auth: meta }),
    'open-challenge.yaml': triggerFile('open-challenge', {
      auth: { uses: 'signature', with: { ...github.with, challenge: { parameter: 'challenge' } } },
    }),
    'both.yaml': triggerFile('both', { auth: [github, keyed] }),
    'key-first.yaml': triggerFile('key-first', { auth: [keyed, github] }),
    'keyed.yaml': triggerFile('keyed'),
    'paused.yaml': triggerFile('paused', { auth: [slack, meta], status: 'paused' }),
  };
}

/** Fires a trigger as a sender that signs. */
async function deliver({ fire }: TestGateway, key: string, options: FireOptions & { raw?: string } = {}) {
  const { raw = body, headers = {}, ...others } = options;
  const signature = { 'x-hub-signature-256': await signAsGithub('secret', raw) };
  return fire(key, undefined, { secret: null, raw, ...others, headers: { ...signature, ...headers } });
}

async function slackHeaders(raw: string, secret = 'secret', at = Date.now()) {
  const timestamp = String(Math.floor(at / 1000));
  const digest = hmac(secret, `v0:${timestamp}:${raw}`).toString('hex');
  return { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${digest}` };
}

const get = { method: 'GET', secret: null } as const;

/** What an error says, without what must differ. */
function comparable({ status, headers, body: problem }: Answer): string {
  const said = ['content-type', 'www-authenticate'].map((name) => headers.get(name));
  return JSON.stringify([status, said, { ...problem, requestId: '' }]);
}

t.test('a signed request fires a trigger and its body reaches the agent unchanged', async (t) => {
  const gateway = await startTestGateway(t, files());
  const answer = await deliver(gateway, 'hook');
  t.equal(answer.status, 200);
  t.match(answer.body.output, JSON.parse(body));
  const empty = await signAsGithub('secret', ' ').then(() => hmac('secret', '').toString('hex'));
  const headers = { 'x-hub-signature-256': `sha256=${empty}` };
  t.equal(
    (await gateway.fire('hook', undefined, { secret: null, headers })).status,
    200,
    'a signed empty body is accepted',
  );
  t.equal((await deliver(gateway, 'hook', { raw: '7' })).body.code, 'invalid_body');
  t.strictSame((await deliver(gateway, 'hook', { raw: '[7]' })).body.output, { items: [7] });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  t.strictSame((await deliver(gateway, 'hook', { raw: 'payload=%7B%7D', headers: form })).body.output, { payload: {} });
});

t.test('401: every invalid signature and every unknown trigger get identical answers', async (t) => {
  const gateway = await startTestGateway(t, files());
  const good = hmac('secret', body).toString('hex');
  const fields = ['', 'x', `sha256=${good.slice(1)}`, `sha256=${good}0`, `sha256=${'0'.repeat(64)}`, 'sha256='];
  const answers: Answer[] = [];
  for (const key of ['hook', 'paused', 'unknown', 'both', 'keyed']) {
    answers.push(await gateway.fire(key, undefined, { secret: null, raw: body }));
    for (const field of fields) {
      const headers = { 'x-hub-signature-256': field };
      answers.push(await gateway.fire(key, undefined, { secret: null, raw: body, headers }));
    }
    answers.push(await gateway.fire(key, undefined, { ...get, headers: { 'x-hub-signature-256': `sha256=${good}` } }));
    for (const [index, { status }] of answers.slice(-8).entries())
      t.equal(status, 401, `${key}: ${['no signature', ...fields, 'a signature of another body'][index]}`);
  }
  t.equal(answers.length, 40);
  t.equal(new Set(answers.map(comparable)).size, 1);
  t.strictSame(
    gateway.log.filter(({ level }) => level !== 'info'),
    [],
  );
});

t.test(
  '401: a request with a signature is answered only after its whole body, for known and unknown triggers',
  async (t) => {
    const { gateway, fire } = await startTestGateway(t, files());
    const answers = ['hook', 'paused', 'unknown', 'keyed'].map((key) => {
      const socket = connect(gateway.address.port, '127.0.0.1');
      t.teardown(() => socket.destroy());
      socket.write(
        [
          `POST /api/v1.0/project/support/trigger/${key} HTTP/1.1`,
          ...['Host: x', 'Content-Type: application/json', 'Content-Length: 2', 'Connection: close'],
          ...[`X-Hub-Signature-256: sha256=${'0'.repeat(64)}`, '', '{'],
        ].join('\r\n'),
      );
      return { socket, answer: text(socket), length: () => socket.bytesRead };
    });
    for (let turn = 0; turn < 3; turn += 1) t.equal((await fire('keyed', {})).status, 200);
    for (const { socket, answer, length } of answers) {
      t.equal(length(), 0);
      socket.write('}');
      t.match(await answer, /^HTTP\/1\.1 401 /);
    }
  },
);

t.test(
  '413: a signed body over the limit is refused, declared or chunked, for known and unknown triggers',
  async (t) => {
    const gateway = await startTestGateway(t, {
      ...files(),
      'gateway.yaml': gatewayFile({ server: { bodyLimit: '1KiB' } }),
    });
    const raw = JSON.stringify({ text: 'x'.repeat(1024) });
    const headers = { 'x-hub-signature-256': await signAsGithub('secret', raw), 'content-type': 'application/json' };
    const answers: Answer[] = [];
    for (const key of ['hook', 'unknown']) {
      answers.push(await deliver(gateway, key, { raw }));
      const url = `${gateway.url}/api/v1.0/project/support/trigger/${key}`;
      const chunked = { method: 'POST', headers, body: new Blob([raw]).stream(), duplex: 'half' } as RequestInit;
      answers.push(await answerOf(await fetch(url, chunked)));
    }
    t.equal(new Set(answers.map(comparable)).size, 1);
    t.match(answers[0]?.body, { code: 'body_too_large' });
    t.equal((await deliver(gateway, 'hook', { raw: JSON.stringify({ text: 'x'.repeat(900) }) })).status, 200);
  },
);

t.test('in a list of signature and api-key the first plugin with a credential decides', async (t) => {
  const gateway = await startTestGateway(t, files());
  const wrong = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
  const statusOf = async (key: string, secret: string | null, headers?: Record<string, string>) =>
    (await (headers ? deliver(gateway, key, { secret, headers }) : gateway.fire(key, {}, { secret }))).status;
  for (const key of ['both', 'key-first']) {
    t.equal((await deliver(gateway, key)).status, 200, 'a signature alone');
    t.equal(await statusOf(key, secrets.website), 200, 'a key alone');
    t.equal(await statusOf(key, null), 401, 'neither');
    t.equal(await statusOf(key, 'wrong'), 401);
  }
  t.equal(await statusOf('both', secrets.website, wrong), 401, 'a wrong signature before a good key');
  t.equal(await statusOf('key-first', secrets.website, wrong), 200, 'a good key before a wrong signature');
  t.equal(await statusOf('key-first', 'wrong', {}), 401, 'a wrong key before a good signature');

  const { runId } = (await deliver(gateway, 'both')).body;
  const read = (secret: string | null, headers = {}) =>
    gateway.fire('both', undefined, { ...get, secret, path: `/run/${runId}`, headers });
  t.equal((await read(secrets.reader)).status, 200, 'an operator reads the runs of a sender');
  t.equal((await read(secrets.website)).status, 403);
  const empty = { 'x-hub-signature-256': `sha256=${hmac('secret', '').toString('hex')}` };
  t.equal((await read(null, empty)).status, 200, 'a sender reads its runs with a signature of the empty body');
  t.equal((await read(null, wrong)).status, 401);
});

t.test('a key cannot probe which triggers of foreign projects have their own auth', async (t) => {
  const gateway = await startTestGateway(t, files());
  const signature = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
  for (const headers of [{}, signature]) {
    const answers = await Promise.all(
      ['foreign', 'unknown'].map((key) => gateway.fire(key, {}, { project: 'other', headers })),
    );
    t.match(answers[0]?.body, { code: 'forbidden' });
    t.equal(new Set(answers.map(comparable)).size, 1);
  }
  t.equal((await gateway.fire('foreign', {}, { project: 'other', secret: secrets.all })).status, 401);
  t.equal((await deliver(gateway, 'foreign', { project: 'other' })).status, 200);
});

t.test('a signed url_verification of Slack is answered without firing a run', async (t) => {
  const gateway = await startTestGateway(t, files());
  const challenge = '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P';
  const raw = JSON.stringify({ token: 'Jhj5dZrVaK7ZwHHjRyZWjbDl', challenge, type: 'url_verification' });
  const send = async (key: string, content = raw, secret = 'secret') =>
    gateway.fire(key, undefined, { secret: null, raw: content, headers: await slackHeaders(content, secret) });
  const answer = await send('slack');
  t.match([answer.status, answer.headers.get('content-type')], [200, /^application\/json/]);
  t.strictSame(answer.body, { challenge });
  t.equal((await send('slack', raw, 'wrong')).status, 401);
  t.equal((await send('paused')).body.code, 'trigger_not_found');
  t.equal((await send('slack', raw.replace(challenge, '<script>'))).status, 401);
  const event = JSON.stringify({ type: 'event_callback', event: { type: 'message', text: '"url_verification"' } });
  t.match((await send('slack', event)).body, { runId: String, output: { type: 'event_callback' } });
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  t.match(metrics, /pullcord_requests_total\{project="support",trigger="slack",outcome="handshake",reason=""\} 1\n/);
  t.match(metrics, /trigger="slack",outcome="accepted",reason=""\} 1\n/);
  // Who fails, at which trigger, is for the operator's eyes.
  t.match(metrics, /trigger="slack",outcome="unauthorized",reason="wrong signature"\} 1\n/);
  t.match(gateway.log, [{ fields: { outcome: 'handshake' }, message: 'handshakes answered' }]);
});

t.test('a GET challenge with the right token is answered as plain text, and any other gets a 401', async (t) => {
  const gateway = await startTestGateway(t, files());
  const ask = (key: string, parameters: string, options: FireOptions = get) =>
    gateway.fire(key, undefined, { ...options, path: `?${parameters}` });
  const asked = (challenge: string, verifyToken = 'token%20of%20the%20tests') =>
    `hub.mode=subscribe&hub.challenge=${challenge}&hub.verify_token=${verifyToken}`;
  const answer = await ask('meta', asked('1158201444'));
  t.equal(answer.status, 200);
  t.equal(answer.text, '1158201444');
  t.match(answer.headers.get('content-type'), /^text\/plain/);
  t.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  const refusedAnswers = {
    'a wrong token': await ask('meta', asked('1', 'wrong')),
    'an empty token': await ask('meta', asked('1', '')),
    'no token': await ask('meta', 'hub.challenge=1'),
    'two tokens': await ask('meta', `${asked('1')}&hub.verify_token=wrong`),
    'two challenges': await ask('meta', `${asked('1')}&hub.challenge=2`),
    'a challenge with markup': await ask('meta', asked('%3Cb%3E')),
    'a challenge with line breaks': await ask('meta', asked('a%0d%0ab')),
    'a challenge of 513 characters': await ask('meta', asked('x'.repeat(513))),
    'an empty challenge': await ask('meta', asked('')),
    'a POST': await ask('meta', asked('1'), { ...get, method: 'POST' }),
    'a trigger without a challenge': await ask('hook', asked('1')),
    'an unknown trigger': await ask('unknown', asked('1')),
    'the address of a run': await gateway.fire('meta', undefined, { ...get, path: `/run/1?${asked('1')}` }),
  };
  for (const [name, refused] of Object.entries(refusedAnswers)) t.equal(refused.status, 401, name);
  t.equal(new Set(Object.values(refusedAnswers).map(comparable)).size, 1);
  t.equal((await ask('paused', asked('1'))).body.code, 'trigger_not_found');
  t.equal(
    (await ask('open-challenge', 'challenge=a-b_c')).text,
    'a-b_c',
    'without a token every challenge is answered',
  );
  t.equal((await ask('open-challenge', 'hub.challenge=a')).status, 401);
});

t.test('a delivery is deduplicated by the id of its sender, and its signature is never recorded', async (t) => {
  const dedup = { uses: 'idempotency-key', with: { header: 'x-github-delivery' } };
  const headers = ['stripe-signature', 'webhook-signature', 'x-github-event'];
  const filter = { name: 'all', uses: 'jsonata', with: { expression: '$exists($request.headers)', headers } };
  const hmacOptions = { header: 'x-acme-proof', prefix: 'p:' };
  const acme = { uses: 'signature', with: { scheme: 'hmac', secrets: [secretFile], hmac: hmacOptions } };
  const gateway = await startTestGateway(t, {
    ...files(),
    'gateway.yaml': gatewayFile({ recording: { rate: 1 } }),
    'once.yaml': triggerFile('once', { auth: [github, acme], dedup, filter }),
  });
  const sent = {
    'x-github-delivery': 'guid-1',
    'x-github-event': 'push',
    'stripe-signature': 'x',
    'webhook-signature': 'x',
  };
  t.equal((await deliver(gateway, 'once', { headers: sent })).status, 200);
  t.equal((await deliver(gateway, 'once', { headers: sent })).body.code, 'duplicate');
  t.equal((await deliver(gateway, 'once', { headers: { ...sent, 'x-github-delivery': 'guid-2' } })).status, 200);
  const proof = { 'x-acme-proof': `p:${hmac('secret', body).toString('hex')}` };
  t.equal((await gateway.fire('once', undefined, { secret: null, raw: body, headers: proof })).status, 200);
  const lines = (await (await fetch(`${gateway.adminUrl}/requests/export`)).text()).trim().split('\n');
  t.strictSame(
    lines.map((line) => JSON.parse(line)).map(({ caller, headers: recorded }) => [caller, recorded]),
    [
      ['signature:github', { 'x-github-delivery': 'guid-1', 'x-github-event': 'push' }],
      ['signature:github', { 'x-github-delivery': 'guid-1', 'x-github-event': 'push' }],
      ['signature:github', { 'x-github-delivery': 'guid-2', 'x-github-event': 'push' }],
      ['signature:hmac', {}],
    ],
  );
});
