import t from 'tap';
import signature from '../../../plugins/auth/signature/index.ts';
import type { Options } from '../../../plugins/auth/signature/options.gen.ts';
import type { SentRequest } from '../../../src/contract/index.ts';
import { pluginContext, requestHead } from '../../support/exchange.ts';
import { keyPairs, now, path, publicUrl, samples, twilioForm } from './samples.ts';

type Keys = Partial<Options> & Pick<Options, 'scheme'>;

function authOf(options: Keys) {
  return signature.create(
    { ...pluginContext, apiKeys: [], projects: [] },
    { tolerance: 300_000, publicUrl, ...options },
  );
}

async function verdictOf(options: Keys, { url, headers, body }: SentRequest) {
  const { search } = new URL(url);
  const result = await authOf(options).authenticate({
    ...requestHead({ host: '127.0.0.1:8080', ...headers }),
    path,
    query: search.slice(1),
    receivedAt: now,
  });
  return result.kind === 'needs_body' ? result.verify(Buffer.from(body)) : result;
}

const pem = {
  discord: keyPairs.ed25519.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  sendgrid: keyPairs.p256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};

const unsigned: SentRequest = {
  url: `http://127.0.0.1:8080${path}?shop=berlin`,
  headers: { 'content-type': 'application/json' },
  body: '{"type":"user.created","value":[{"id":1},{"id":2}]}',
};

for (const { scheme, name, secret, publicKeys } of samples) {
  if (scheme === 'microsoft-graph' && name !== undefined) continue;
  const privateKey = scheme === 'sendgrid' ? pem.sendgrid : pem.discord;
  const keys: Keys = { scheme, ...(secret === undefined ? { publicKeys: publicKeys ?? [] } : { secrets: [secret] }) };
  t.test(
    `what is signed as ${scheme}${name ? `, ${name},` : ''} is authenticated, and with another body is not`,
    async (t) => {
      const options = { ...keys, tolerance: 300_000, publicUrl };
      const result = signature.sign(options, unsigned, { secret: secret ?? privateKey, at: now });
      if (!result.ok) throw new Error(result.reason);
      t.match(await verdictOf(keys, result.request), { kind: 'authenticated' });
      t.strictSame(unsigned.headers, { 'content-type': 'application/json' }, 'the request itself is left as it is');
      const wrong = signature.sign(options, unsigned, {
        secret: secret ? `${secret.slice(0, -8)}AAAAAAAA` : privateKey,
        at: now,
      });
      if (!wrong.ok) throw new Error(wrong.reason);
      const changed = { ...wrong.request, ...(secret === undefined && { body: `${wrong.request.body} ` }) };
      t.match(await verdictOf(keys, changed), { kind: 'rejected' });
    },
  );
}

t.test('a form is signed by its parameters, as Twilio signs it', async (t) => {
  const keys: Keys = { scheme: 'twilio', secrets: ['an auth token'] };
  const form = { ...unsigned, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: twilioForm };
  const result = signature.sign({ ...keys, tolerance: 300_000, publicUrl }, form, { secret: 'an auth token', at: now });
  if (!result.ok) throw new Error(result.reason);
  t.match(await verdictOf(keys, result.request), { kind: 'authenticated' });
  t.notOk(result.request.url.includes('bodySHA256'));
});

t.test('the type of an event is written where its sender has a header for it', (t) => {
  const signing = { secret: 'a secret', at: now, event: 'push' };
  const github = signature.sign({ scheme: 'github', tolerance: 1, secrets: [] }, unsigned, signing);
  t.match(github, {
    ok: true,
    request: { headers: { 'x-github-event': 'push', 'x-github-delivery': /^[0-9a-f-]{36}$/ } },
  });
  t.match(signature.sign({ scheme: 'stripe', tolerance: 1, secrets: [] }, unsigned, signing), {
    ok: false,
    reason: /no header for the type of an event: it is body:\/type/,
  });
  t.end();
});

t.test('a secret that a sender does not have is refused, and never repeated', (t) => {
  const cases = [
    ['github', pem.discord, /no key pair/],
    ['discord', 'a secret', /private key, in PEM/],
    ['discord', '-----BEGIN PRIVATE KEY-----\nnothing', /not valid PEM/],
    ['svix', 'whsec_!!', /base64 does not follow/],
  ] as const;
  for (const [scheme, secret, reason] of cases) {
    const result = signature.sign({ scheme, tolerance: 1 }, unsigned, { secret, at: now });
    t.match(result, { ok: false, reason });
    t.notOk(JSON.stringify(result).includes(secret));
  }
  t.end();
});

t.test('only JSON can carry a signature in its body', (t) => {
  const result = signature.sign(
    { scheme: 'mailgun', tolerance: 1 },
    { ...unsigned, body: 'a=b' },
    { secret: 's', at: now },
  );
  t.match(result, { ok: false, reason: /body is no JSON object/ });
  t.end();
});
