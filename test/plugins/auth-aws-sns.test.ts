import { generateKeyPairSync, sign } from 'node:crypto';
import t from 'tap';
import sns from '../../plugins/auth/aws-sns/index.ts';
import { type AuthVerdict, type MaybePromise, type OutboundClient, OutboundError } from '../../src/contract/index.ts';
import { eventInfo } from '../../src/runtime/event-info.ts';
import { selfSigned } from '../support/certificate.ts';
import { pluginContext, requestHead } from '../support/exchange.ts';

const now = Date.UTC(2027, 5, 30, 12);
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const others = generateKeyPairSync('rsa', { modulusLength: 2048 });
const certificate = selfSigned(keys, new Date(now - 1e9), new Date(now + 1e9));
const topic = 'arn:aws:sns:eu-west-1:123456789012:alarms';
const host = 'https://sns.eu-west-1.amazonaws.com';
const certificateUrl = `${host}/SimpleNotificationService-01d088a6f77103d0fe307c0069e40ed6.pem`;
const token =
  '2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92768dd60a747ba6f3beb71854e285d6ad02428b09';
const subscribeUrl = `${host}/?Action=ConfirmSubscription&TopicArn=${topic}&Token=${token}`;

/** Answers a URL by its status and body, or does not. */
type Amazon = (url: URL) => MaybePromise<{ readonly status: number; readonly body?: string } | undefined>;

const amazon: Amazon = (url) =>
  url.href === certificateUrl ? { status: 200, body: certificate } : { status: url.search === '' ? 404 : 200 };

/** An instance whose calls are answered by `answer`, and the URLs that it has called. */
async function started(answer: Amazon = amazon, options = {}) {
  const calls: string[] = [];
  const client: Pick<OutboundClient, 'request'> = {
    async request(url) {
      calls.push(url.href);
      const answered = await answer(url);
      if (answered === undefined) throw new OutboundError('ECONNREFUSED', 'refused', true);
      const bytes = Buffer.from(answered.body ?? '');
      return {
        status: answered.status,
        headers: {},
        body: (async function* () {
          yield bytes;
        })(),
        bytes: async () => bytes,
        discard: async () => {},
      };
    },
  };
  const outbound = () => ({ ...client, fetch, forbids: () => false }) as OutboundClient;
  const context = { ...pluginContext, apiKeys: [], projects: [], outbound };
  const auth = await sns.create(context, { topics: [topic], confirm: true, tolerance: 3_600_000, ...options });
  const send = async (body: string, receivedAt = now): Promise<AuthVerdict> => {
    const head = { ...requestHead({ 'x-amz-sns-message-type': 'Notification' }), receivedAt };
    const result = await auth.authenticate(head);
    return result.kind === 'needs_body' ? result.verify(Buffer.from(body)) : result;
  };
  return { auth, calls, send };
}

interface Fields {
  readonly [name: string]: string;
}

const notification: Fields = {
  Type: 'Notification',
  MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  TopicArn: topic,
  Subject: 'CPU is süß',
  Message: '{"AlarmName":"cpu"}\n',
  Timestamp: new Date(now).toISOString(),
  SignatureVersion: '2',
  SigningCertURL: certificateUrl,
};
const subscription: Fields = {
  ...notification,
  Type: 'SubscriptionConfirmation',
  Token: token,
  SubscribeURL: subscribeUrl,
};

/** Signs as https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html describes. */
function signed(fields: Fields, privateKey = keys.privateKey): string {
  const names =
    fields.Type === 'Notification'
      ? ['Message', 'MessageId', ...('Subject' in fields ? ['Subject'] : []), 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const content = names.map((name) => `${name}\n${fields[name]}\n`).join('');
  const algorithm = fields.SignatureVersion === '1' ? 'sha1' : 'sha256';
  const Signature = sign(algorithm, Buffer.from(content), privateKey).toString('base64');
  return JSON.stringify({ ...fields, Signature });
}

t.test('a signed notification of a listed topic is authenticated, and its certificate is fetched once', async (t) => {
  const { send, calls } = await started();
  const verdict = await send(signed(notification));
  t.match(verdict, {
    kind: 'authenticated',
    principal: { id: 'aws-sns:eu-west-1:123456789012:alarms', permissions: new Set(['project.trigger']) },
  });
  t.strictSame(verdict.kind === 'authenticated' && verdict.event && eventInfo(verdict.event, { ...notification }), {
    name: 'CPU is süß',
    id: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    time: '2027-06-30T12:00:00.000Z',
  });
  const { Subject, ...plain } = notification;
  t.match(await send(signed(plain)), { kind: 'authenticated' }, 'without a subject');
  t.match(await send(signed({ ...notification, SignatureVersion: '1' })), { kind: 'authenticated' }, 'by SHA-1');
  t.strictSame(calls, [certificateUrl]);
});

t.test('a notification that is changed, old, malformed, or signed by others is rejected', async (t) => {
  const { auth, send, calls } = await started();
  const good = signed(notification);
  const { Subject, ...withoutSubject } = JSON.parse(good);
  const wrong: Readonly<Record<string, string>> = {
    'signed by another key': signed(notification, others.privateKey),
    'with another message': good.replace('cpu', 'mem'),
    'without its subject': JSON.stringify(withoutSubject),
    'under another version': good.replace('"SignatureVersion":"2"', '"SignatureVersion":"1"'),
  };
  for (const [name, body] of Object.entries(wrong)) {
    t.strictSame(await send(body), { kind: 'rejected', reason: 'wrong signature' }, name);
  }
  const odd = [
    '',
    '{}',
    '[',
    'null',
    good.replace(/"Signature":"[^"]*"/, '"Signature":""'),
    good.replace('"2"', '"3"'),
  ];
  for (const body of [...odd, good.replace('"Type":"N', '"Type":"n'), good.replace('{', '{"Message":"a",')]) {
    t.strictSame(await send(body), { kind: 'rejected', reason: 'malformed message' }, body.slice(0, 60));
  }
  t.strictSame(await send(' '.repeat(513 * 1024)), { kind: 'rejected', reason: 'malformed message' });
  for (const away of [-3_601_000, 3_601_000]) {
    t.strictSame(await send(good, now + away), { kind: 'rejected', reason: 'message too old, or from the future' });
  }
  t.match(await send(good, now + 3_599_000), { kind: 'authenticated' });
  t.strictSame(await auth.authenticate(requestHead()), { kind: 'abstained' }, 'without its header');
  t.strictSame(calls, [certificateUrl]);
});

t.test('nothing is fetched but certificates of Amazon in the region of a listed topic (SSRF)', async (t) => {
  const { send, calls } = await started();
  const foreign = signed({ ...notification, TopicArn: 'arn:aws:sns:eu-west-1:210987654321:alarms' });
  t.strictSame(await send(foreign), { kind: 'rejected', reason: 'message of another topic' });
  const path = '/SimpleNotificationService-01d088a6f77103d0fe307c0069e40ed6.pem';
  for (const url of [
    `http://sns.eu-west-1.amazonaws.com${path}`,
    `https://sns.us-east-1.amazonaws.com${path}`,
    `https://sns.eu-west-1.amazonaws.com.evil.example${path}`,
    `https://evil.example/sns.eu-west-1.amazonaws.com${path}`,
    `https://sns.eu-west-1.amazonaws.com@evil.example${path}`,
    `https://user:pass@sns.eu-west-1.amazonaws.com${path}`,
    `https://sns.eu-west-1.amazonaws.com:8443${path}`,
    `https://sns.eu-west-1.amazonaws.com.cn${path}`,
    `https://bucket.s3.amazonaws.com${path}`,
    `https://sns.eu-west-1.amazonaws.com/other.pem`,
    `https://sns.eu-west-1.amazonaws.com${path}?a=b`,
    `https://sns.eu-west-1.amazonaws.com/../x${path}`,
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
    'not a URL',
  ]) {
    const verdict = await send(signed({ ...notification, SigningCertURL: url }));
    t.strictSame(verdict, { kind: 'rejected', reason: "certificate URL is not Amazon's" }, url);
  }
  t.strictSame(calls, []);
});

t.test('a certificate that is missing, expired or out of reach lets nobody in', async (t) => {
  const good = signed(notification);
  const missing = await started(() => ({ status: 404 }));
  t.strictSame(await missing.send(good), { kind: 'rejected', reason: 'unknown certificate' });
  t.match(await missing.send(good, now + 59_999), { kind: 'rejected' });
  t.equal(missing.calls.length, 1, 'not asked again within a minute');
  t.match(await missing.send(good, now + 60_000), { kind: 'rejected' });
  t.equal(missing.calls.length, 2);
  t.match(await (await started(() => ({ status: 200, body: 'no PEM' }))).send(good), { reason: 'unknown certificate' });
  for (const answer of [() => undefined, () => ({ status: 503 }), () => ({ status: 302 })]) {
    t.match(await (await started(answer)).send(good), { kind: 'unavailable', reason: 'certificate not available' });
  }
  for (const [from, to] of [
    [-2e9, -1e6],
    [1e6, 2e9],
  ] as const) {
    const body = selfSigned(keys, new Date(now + from), new Date(now + to));
    t.match(await (await started(() => ({ status: 200, body }))).send(good), { reason: 'certificate expired' });
  }
});

/** A notification that names the certificate of this number, which Amazon does not have. */
function invented(index: number): string {
  const url = certificateUrl.replace('01d088a6', String(index).padStart(8, '0'));
  return signed({ ...notification, SigningCertURL: url });
}

t.test('invented certificates do not keep out the genuine one', async (t) => {
  for (const failure of [{ status: 404 }, { status: 503 }, undefined]) {
    const { send, calls } = await started((url) => (url.href === certificateUrl ? amazon(url) : failure));
    for (let index = 0; index < 40; index += 1) await send(invented(index));
    t.match(await send(signed(notification)), { kind: 'authenticated' });
    for (let index = 40; index < 80; index += 1) await send(invented(index));
    t.match(await send(signed(notification)), { kind: 'authenticated' });
    t.equal(calls.filter((url) => url === certificateUrl).length, 1, 'the genuine one is kept');
    await send(invented(79));
    t.equal(calls.length, 81, 'a recent failure is kept');
    await send(invented(48));
    t.equal(calls.length, 82, 'the oldest one is not');
  }
});

t.test('at most 32 certificates are being fetched at a time', async (t) => {
  const held = Promise.withResolvers<{ readonly status: number }>();
  const { send, calls } = await started(() => held.promise);
  const verdicts = Array.from({ length: 40 }, (_, index) => send(invented(index)));
  t.match(await verdicts[39], { kind: 'unavailable', reason: 'certificate not available' });
  t.equal(calls.length, 32);
  held.resolve({ status: 404 });
  t.match(await verdicts[0], { kind: 'rejected', reason: 'unknown certificate' });
  await send(invented(39));
  t.equal(calls.length, 33);
});

t.test('a signed subscription is confirmed at Amazon, and is a handshake', async (t) => {
  const { send, calls } = await started();
  t.strictSame(await send(signed(subscription)), { kind: 'handshake', reply: { status: 200 } });
  t.strictSame(calls, [certificateUrl, subscribeUrl]);
  const forged = await started();
  t.match(await forged.send(signed(subscription, others.privateKey)), { reason: 'wrong signature' });
  t.strictSame(forged.calls, [certificateUrl], 'a forged one is not confirmed');
  const strange = { ...subscription, SubscribeURL: 'https://evil.example/?Action=ConfirmSubscription&Token=1' };
  t.match(await forged.send(signed(strange)), { kind: 'rejected', reason: "confirmation URL is not Amazon's" });
  const other = { ...subscription, SubscribeURL: `${host}/?Action=DeleteTopic&TopicArn=${topic}` };
  t.match(await forged.send(signed(other)), { kind: 'rejected', reason: "confirmation URL is not Amazon's" });
  t.strictSame(forged.calls, [certificateUrl]);
  const failing = await started((url) => (url.search === '' ? amazon(url) : { status: 500 }));
  t.match(await failing.send(signed(subscription)), { kind: 'unavailable', reason: 'subscription not confirmed' });
  const silent = await started((url) => (url.search === '' ? amazon(url) : undefined));
  t.match(await silent.send(signed(subscription)), { kind: 'unavailable' });
  const refusing = await started(amazon, { confirm: false });
  t.match(await refusing.send(signed(subscription)), { kind: 'rejected', reason: 'subscriptions are not confirmed' });
  const unsubscribed = await started();
  const farewell = { ...subscription, Type: 'UnsubscribeConfirmation' };
  t.match(await unsubscribed.send(signed(farewell)), { kind: 'handshake' });
  t.strictSame(unsubscribed.calls, [certificateUrl], 'a subscription that was ended is not renewed');
});
