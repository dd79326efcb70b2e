import { scalarFinder } from '../json-values.ts';

/** A message of Amazon SNS as its body says; nothing of it is verified yet. */
export interface Message {
  readonly type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';
  readonly topic: string;
  readonly timestampMs: number;
  readonly digest: 'sha1' | 'sha256';
  readonly signature: Buffer;
  readonly certificateUrl: string;
  readonly subscribeUrl: string | undefined;
  /** What is signed. */
  readonly signed: string;
}

const types = ['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'] as const;
const digests: Readonly<Record<string, Message['digest']>> = { '1': 'sha1', '2': 'sha256' };

/** Amazon's messages have up to 256 KiB. */
const largestBytes = 512 * 1024;

/** https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html: the names in the order of the bytes. */
const signedNames = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
  UnsubscribeConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
} as const;

const memberNames = [
  ...new Set([...Object.values(signedNames).flat(), 'SignatureVersion', 'Signature', 'SigningCertURL'] as const),
];
type MemberName = (typeof memberNames)[number];

/** In one pass, as the sender is not verified yet. */
const findMembers = scalarFinder(memberNames.map((name) => [name]));

/** Reads a message; undefined for anything else. */
export function readMessage(body: Uint8Array): Message | undefined {
  if (body.length > largestBytes) return undefined;
  const found = findMembers(body);
  const read = (name: MemberName) => found[memberNames.indexOf(name)]?.[0];
  const typeName = read('Type');
  const type = types.find((one) => one === typeName);
  const digest = digests[read('SignatureVersion') ?? ''];
  const signature = Buffer.from(read('Signature') ?? '', 'base64');
  const certificateUrl = read('SigningCertURL');
  const topic = read('TopicArn');
  const timestampMs = Date.parse(read('Timestamp') ?? '');
  if (type === undefined || digest === undefined || signature.length === 0 || Number.isNaN(timestampMs))
    return undefined;
  if (certificateUrl === undefined || topic === undefined) return undefined;
  const values = signedNames[type].map((name) => ({ name, value: read(name) }));
  // Only a notification may lack its subject.
  if (values.some(({ name, value }) => value === undefined && name !== 'Subject')) return undefined;
  const signed = values.map(({ name, value }) => (value === undefined ? '' : `${name}\n${value}\n`)).join('');
  return { type, topic, timestampMs, digest, signature, certificateUrl, subscribeUrl: read('SubscribeURL'), signed };
}
