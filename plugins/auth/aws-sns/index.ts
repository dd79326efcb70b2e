import { verify } from 'node:crypto';
import type { AuthPlugin, AuthVerdict, BodyMembers, OutboundClient, SenderEvent } from '../../../src/contract/index.ts';
import { abstained, rejected } from '../verdicts.ts';
import { amazonUrl, certificatePath, confirmationPath } from './amazon-url.ts';
import { certificateStore } from './certificates.ts';
import { type Message, readMessage } from './message.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

const typeHeader = 'x-amz-sns-message-type';
const largestResponseBytes = 16 * 1024;
const confirmationTimeoutMs = 10_000;

export default {
  contract: 'v1',
  stage: 'auth',
  name: 'aws-sns',
  summary: 'Knows messages of Amazon SNS by their certificate and topic, and confirms subscriptions.',
  optionsSchema: schema,
  // SNS says that its JSON is text/plain.
  review: () => ({ callers: { kind: 'holders', prefix: 'aws-sns:' }, body: { fields: 'free', accept: ['json'] } }),
  create(context, { topics, confirm, tolerance: toleranceMs }) {
    const client = context.outbound({ connections: 2, maxResponseBytes: largestResponseBytes });
    const certificateAt = certificateStore(client);

    const verified = async (body: Uint8Array, receivedAt: number): Promise<AuthVerdict> => {
      const message = readMessage(body);
      if (message === undefined) return malformed;
      // Before anything is fetched: a caller who knows no topic causes no call.
      if (!topics.includes(message.topic)) return rejected('message of another topic');
      if (Math.abs(receivedAt - message.timestampMs) > toleranceMs) return untimely;
      const url = amazonUrl(message.certificateUrl, message.topic, certificatePath);
      if (url === undefined) return rejected("certificate URL is not Amazon's");
      const certificate = await certificateAt(url, receivedAt);
      if (certificate.kind === 'unavailable') return { kind: 'unavailable', reason: 'certificate not available' };
      if (certificate.kind === 'unknown') return rejected('unknown certificate');
      const { key, validFromMs, validToMs } = certificate;
      if (receivedAt < validFromMs || receivedAt > validToMs) return rejected('certificate expired');
      const isGood =
        key.asymmetricKeyType === 'rsa' && verify(message.digest, Buffer.from(message.signed), key, message.signature);
      return isGood ? conclude(message, confirm, client) : wrong;
    };

    return {
      credentials: { headers: [typeHeader], mayNeedBody: true },
      authenticate({ headers, receivedAt }) {
        if (headers[typeHeader] === undefined) return abstained;
        return {
          kind: 'needs_body',
          verify: async (body: Uint8Array, members?: BodyMembers) => verified((await members?.()) ?? body, receivedAt),
        };
      },
    };
  },
} satisfies AuthPlugin<Options>;

const malformed = rejected('malformed message');
const untimely = rejected('message too old, or from the future');
const wrong = rejected('wrong signature');
const accepted: AuthVerdict = { kind: 'handshake', reply: { status: 200 } };
const event: SenderEvent = {
  name: { pointers: ['/Subject', '/Type'] },
  id: { pointers: ['/MessageId'] },
  time: { pointers: ['/Timestamp'] },
};

async function conclude(message: Message, confirm: boolean, client: OutboundClient): Promise<AuthVerdict> {
  switch (message.type) {
    case 'Notification': {
      // Region, account and name.
      const id = `aws-sns:${message.topic.split(':').slice(3).join(':')}`;
      const permissions = new Set(['project.trigger'] as const);
      return { kind: 'authenticated', principal: { id, permissions, projects: 'all' }, event };
    }
    case 'SubscriptionConfirmation':
      return confirm ? confirmed(message, client) : rejected('subscriptions are not confirmed');
    case 'UnsubscribeConfirmation':
      return accepted;
  }
}

/** Calls the URL that confirms a subscription. */
async function confirmed({ subscribeUrl, topic }: Message, client: OutboundClient): Promise<AuthVerdict> {
  const url = amazonUrl(subscribeUrl, topic, confirmationPath);
  if (url === undefined) return rejected("confirmation URL is not Amazon's");
  const unconfirmed: AuthVerdict = { kind: 'unavailable', reason: 'subscription not confirmed' };
  try {
    const signal = AbortSignal.timeout(confirmationTimeoutMs);
    const response = await client.request(url, { method: 'GET', headers: {}, signal });
    await response.discard();
    return response.status === 200 ? accepted : unconfirmed;
  } catch {
    return unconfirmed;
  }
}
