import { sign } from 'node:crypto';
import { EventWebhook } from '@sendgrid/eventwebhook';
import { verifyKey } from 'discord-interactions';
import t from 'tap';
import signature from '../../../plugins/auth/signature/index.ts';
import type { Options } from '../../../plugins/auth/signature/options.gen.ts';
import schema from '../../../plugins/auth/signature/options.schema.json' with { type: 'json' };
import { presetFormats, presetNames } from '../../../plugins/auth/signature/presets.ts';
import type { AuthVerdict, RequestHead } from '../../../src/contract/index.ts';
import { eventInfo } from '../../../src/runtime/event-info.ts';
import { compileSchema } from '../../../src/schema/validator.ts';
import { pluginContext, requestHead } from '../../support/exchange.ts';
import { hmac, keyPairs, now, path, publicUrl, type Sample, type Signed, samples, seconds } from './samples.ts';

const context = { ...pluginContext, apiKeys: [], projects: ['support'] };

function authOf(options: Partial<Options> & Pick<Options, 'scheme'>) {
  return signature.create(context, { tolerance: 300_000, publicUrl, ...options });
}

type Auth = ReturnType<typeof authOf>;

/** What the options of a sample are, with more secrets or keys before its own. */
function optionsOf({ scheme, secret, publicKeys }: Sample, own = secret): Partial<Options> & Pick<Options, 'scheme'> {
  return { scheme, ...(own === undefined ? { publicKeys: publicKeys ?? [] } : { secrets: ['another secret', own] }) };
}

async function verdictOf(auth: Auth, { headers, body, query = '' }: Signed, changes: Partial<RequestHead> = {}) {
  const head = { ...requestHead(headers), path, query, receivedAt: now, ...changes };
  const result = await auth.authenticate(head);
  return result.kind === 'needs_body' ? result.verify(Buffer.from(body)) : result;
}

/** The event of a verdict, as the gateway reads it. */
function eventOf(verdict: AuthVerdict, body: string) {
  if (verdict.kind !== 'authenticated' || verdict.event === undefined) return undefined;
  const { name, id, time } = eventInfo(verdict.event, body.startsWith('{') ? JSON.parse(body) : {});
  return { ...(name && { name }), ...(id && { id }), ...(time && { time }) };
}

t.test('every preset has a sample', async (t) => {
  t.strictSame([...new Set(samples.map(({ scheme }) => scheme))].sort(), [...presetNames].sort());
  t.strictSame([...presetNames, 'hmac', 'custom'].sort(), [...schema.properties.scheme.enum].sort());
});

for (const sample of samples) {
  const { scheme, name, secret = '', event, isTimeless = false, hasFreeBody = false } = sample;
  t.test(`signature with scheme ${scheme}${name ? `, ${name}` : ''}`, async (t) => {
    const auth = authOf(optionsOf(sample));
    const good = await sample.sign(secret, seconds);

    await t.test('verifies what the sender signs, and reads its event', async (t) => {
      const verdict = await verdictOf(auth, good);
      t.match(verdict, { kind: 'authenticated', principal: { id: `signature:${scheme}` } });
      t.strictSame(eventOf(verdict, good.body), event);
    });

    await t.test('rejects another secret, and is rejected by another secret', async (t) => {
      if (sample.secret === undefined) {
        const other =
          scheme === 'sendgrid'
            ? 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=='
            : 'aa'.repeat(32);
        const stranger = authOf({ scheme, publicKeys: [other] });
        t.match(await verdictOf(stranger, good), { kind: 'rejected', reason: 'wrong signature' });
        return;
      }
      const foreign = await sample.sign(`${secret.slice(0, -8)}AAAAAAAA`, seconds);
      t.match(await verdictOf(auth, foreign), { kind: 'rejected', reason: /^wrong (?:signature|token)$/ });
      const stranger = authOf({ scheme, secrets: ['another secret'] });
      t.match(await verdictOf(stranger, good), { kind: 'rejected', reason: /^wrong (?:signature|token)$/ });
    });

    await t.test('rejects a changed body', { skip: hasFreeBody && 'the body is not signed' }, async (t) => {
      for (const body of [`${good.body} `, good.body.replace('e', 'f'), '']) {
        t.match(await verdictOf(auth, { ...good, body }), { kind: 'rejected', reason: 'wrong signature' }, body);
      }
    });

    await t.test('abstains without its signature, and rejects an empty or cut one', async (t) => {
      const [header] = auth.credentials.headers.filter((one) => one in good.headers);
      if (header === undefined) {
        t.match(await verdictOf(auth, { ...good, body: '{}' }), { kind: 'abstained' });
        t.match(await verdictOf(auth, { ...good, body: '' }), { kind: 'abstained' });
        for (const body of ['"signature":""', '"clientState":""'].map((empty) => emptied(good.body, empty))) {
          if (body !== good.body) t.match(await verdictOf(auth, { ...good, body }), { kind: 'rejected' });
        }
        return;
      }
      const { [header]: whole = '', ...others } = good.headers;
      t.match(await verdictOf(auth, { ...good, headers: others }), { kind: 'abstained' });
      for (const field of ['', ' ', whole.slice(0, -4), `${whole.slice(0, -2)}%%`]) {
        t.match(
          await verdictOf(auth, { ...good, headers: { ...others, [header]: field } }),
          { kind: 'rejected' },
          field,
        );
      }
    });

    await t.test('needs every header that it signs', async (t) => {
      const format = presetFormats(scheme).find((one) => Object.hasOwn(good.headers, one.signature.slice(7)));
      const signed = [format?.timestamp, format?.id].flatMap((place) => /^header:(.+)$/.exec(place ?? '')?.[1] ?? []);
      for (const header of signed) {
        const { [header]: _, ...others } = good.headers;
        const verdict = await verdictOf(auth, { ...good, headers: others });
        t.match(verdict, { kind: 'rejected', reason: 'malformed signature' }, `without ${header}`);
        const changed = { ...good.headers, [header]: header.endsWith('timestamp') ? String(now / 1000 + 1) : 'other' };
        t.match(await verdictOf(auth, { ...good, headers: changed }), { kind: 'rejected', reason: 'wrong signature' });
      }
    });

    await t.test(isTimeless ? 'has any age' : 'is valid for its tolerance, before and after', async (t) => {
      const strict = authOf({ ...optionsOf(sample), tolerance: 60_000 });
      for (const ageSeconds of [59, -59, 62, -62]) {
        const sent = await sample.sign(secret, String(now / 1000 - ageSeconds));
        const kind = isTimeless || Math.abs(ageSeconds) < 60 ? 'authenticated' : 'rejected';
        t.match(await verdictOf(strict, sent), { kind }, `${ageSeconds} s old`);
      }
    });

    await t.test('is what its format says as a custom one', async (t) => {
      const validator = compileSchema(schema);
      const formats = presetFormats(scheme);
      const verdicts: string[] = [];
      for (const custom of formats) {
        t.match(validator.validate({ scheme: 'custom', custom: structuredClone(custom) }), { ok: true });
        const isPublic = /^(?:ed25519|ecdsa|rsa)/.test(custom.algorithm);
        if (isPublic !== (sample.secret === undefined)) continue;
        const described = authOf({ ...optionsOf(sample), scheme: 'custom', custom });
        verdicts.push((await verdictOf(described, good)).kind);
      }
      t.ok(verdicts.includes('authenticated'));
    });
  });
}

function emptied(body: string, empty: string): string {
  const name = empty.slice(0, empty.indexOf(':'));
  return body.replaceAll(new RegExp(`${name}:"[^"]*"`, 'g'), empty);
}

t.test('examples that the senders publish', async (t) => {
  const atlassian = {
    headers: { 'x-hub-signature': 'sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9' },
    body: 'Hello World!',
  };
  for (const scheme of ['jira', 'bitbucket'] as const) {
    const auth = authOf({ scheme, secrets: ["It's a Secret to Everybody"] });
    t.match(await verdictOf(auth, atlassian), { kind: 'authenticated' }, scheme);
    t.match(await verdictOf(auth, { ...atlassian, body: 'Hello, World!' }), { kind: 'rejected' }, scheme);
  }

  const twilio = {
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': 'GvWf1cFY/Q7PnoempGyD5oXAezc=',
    },
    body: 'Digits=1234&CallSid=CA1234567890ABCDE&To=%2B18005551212&Caller=%2B14158675310&From=%2B14158675310',
    query: 'foo=1&bar=2',
  };
  const company = { scheme: 'twilio', publicUrl: 'https://mycompany.com', secrets: ['12345'] } as const;
  const page = { path: '/myapp.php' };
  t.match(await verdictOf(authOf({ ...company, secrets: ['12345'] }), twilio, page), { kind: 'authenticated' });
  t.match(await verdictOf(authOf({ ...company, secrets: ['12346'] }), twilio, page), { kind: 'rejected' });

  // The libraries of these senders accept them: @linear/sdk, @paddle/paddle-node-sdk, @mux/mux-node.
  const body =
    '{"action":"create","type":"Issue","createdAt":"2027-06-30T12:00:00.000Z","data":{"title":"süß"},"webhookTimestamp":1814356800000}';
  const linear = { 'linear-signature': 'de1acb35daf8112aa516b7be1d9a7e472ce97362a5a60b907f3aaffa0c3aced4' };
  t.match(await verdictOf(authOf({ scheme: 'linear', secrets: ['lin_wh_secret'] }), { headers: linear, body }), {
    kind: 'authenticated',
  });
  const paddle = {
    headers: {
      'paddle-signature': 'ts=1814356800;h1=faba63ed77871fa8e5ef79ba1928d85ffcf493775fb7c4b589f5177d06a6e256',
    },
    body: '{"event_id":"evt_01","event_type":"transaction.completed","occurred_at":"2027-06-30T12:00:00Z"}',
  };
  t.match(await verdictOf(authOf({ scheme: 'paddle', secrets: ['pdl_ntfset_secret'] }), paddle), {
    kind: 'authenticated',
  });
  const mux = {
    headers: { 'mux-signature': 't=1814356800,v1=17c813ec59e9c7c729709c96a206a22cb3dab1551d1583c8da4f3f5ad3ee24ba' },
    body: '{"type":"video.asset.ready","id":"evt_1","created_at":"2027-06-30T12:00:00Z"}',
  };
  t.match(await verdictOf(authOf({ scheme: 'mux', secrets: ['mux secret'] }), mux), { kind: 'authenticated' });
});

t.test('the libraries of senders with a key pair say the same', async (t) => {
  const body = '{"type":2}';
  const { ed25519, p256, rawEd25519 } = keyPairs;
  const discord = authOf({ scheme: 'discord', publicKeys: [rawEd25519.toString('hex')] });
  const made = sign(null, Buffer.from(seconds + body), ed25519.privateKey).toString('hex');
  for (const [content, isGood] of [
    [body, true],
    [`${body} `, false],
  ] as const) {
    const headers = { 'x-signature-ed25519': made, 'x-signature-timestamp': seconds };
    t.equal(await verifyKey(content, made, seconds, rawEd25519.toString('hex')), isGood);
    t.equal((await verdictOf(discord, { headers, body: content })).kind === 'authenticated', isGood);
  }
  const spki = p256.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const library = new EventWebhook();
  const key = library.convertPublicKeyToECDSA(spki);
  const sendgrid = authOf({ scheme: 'sendgrid', publicKeys: [spki] });
  const batch = '[{"event":"dropped"}]\r\n';
  const signed = sign('sha256', Buffer.from(seconds + batch), p256.privateKey).toString('base64');
  for (const [content, isGood] of [
    [batch, true],
    [batch.trim(), false],
  ] as const) {
    const headers = {
      'x-twilio-email-event-webhook-signature': signed,
      'x-twilio-email-event-webhook-timestamp': seconds,
    };
    t.equal(library.verifySignature(key, content, signed, seconds), isGood);
    t.equal((await verdictOf(sendgrid, { headers, body: content })).kind === 'authenticated', isGood);
  }
});

t.test('a sender that rotates its secret sends the signatures of both', async (t) => {
  const body = '{"a":1}';
  const [old, fresh] = [hmac('old', body), hmac('new', body)];
  const form = { header: 'x-acme', algorithm: 'sha256', encoding: 'hex', prefix: 'v1=' } as const;
  const kindOf = async (field: string, changes = {}) => {
    const auth = authOf({ scheme: 'hmac', hmac: { ...form, ...changes }, secrets: ['new'] });
    return (await verdictOf(auth, { headers: { 'x-acme': field }, body })).kind;
  };
  t.equal(await kindOf(`v1=${old},v1=${fresh}`), 'authenticated');
  t.equal(await kindOf(`v1=${fresh}, v1=${old}`), 'authenticated');
  t.equal(await kindOf(`v0=${old},v1=${fresh}`), 'authenticated', 'beside one of another version');
  t.equal(await kindOf(`v1=${old},v0=${fresh}`), 'rejected', 'with the good one under another version');
  t.equal(await kindOf(`v1=${old},v1=${old}`), 'rejected');
  t.equal(await kindOf(`${`v1=${old},`.repeat(15)}v1=${fresh}`), 'authenticated');
  t.equal(await kindOf(`${`v1=${old},`.repeat(16)}v1=${fresh}`), 'rejected', 'too many');
  t.equal(await kindOf(`v1,${old} v1,${fresh}`, { prefix: 'v1,' }), 'authenticated', 'a prefix with a comma');
  t.equal(await kindOf(`${old},${fresh}`, { prefix: '' }), 'authenticated', 'without a prefix');
});
