import { generateKeyPairSync, sign } from 'node:crypto';
import { join } from 'node:path';
import { selfSigned } from '../support/certificate.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const others = generateKeyPairSync('rsa', { modulusLength: 2048 });
const certificateUrl =
  'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01d088a6f77103d0fe307c0069e40ed6.pem';

export const topic = 'arn:aws:sns:eu-west-1:123456789012:alarms';

/** The plugin aws-sns, to which Amazon is stood in for: it has one certificate, and confirms every subscription. */
export function pluginWithAmazon(): string {
  const certificate = selfSigned(keys, new Date(Date.now() - 1e9), new Date(Date.now() + 1e9));
  const plugin = join(import.meta.dirname, '../../plugins/auth/aws-sns/index.ts');
  return `import sns from ${JSON.stringify(plugin)};
const certificate = Buffer.from(${JSON.stringify(certificate)});
const request = async () => ({ status: 200, headers: {}, bytes: async () => certificate, discard: async () => {} });
export default {
  ...sns,
  name: 'amazon',
  create: (context, options) => sns.create({ ...context, outbound: () => ({ request }) }, options),
};`;
}

/** Signs as https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html describes. */
export function signedMessage(body: string, isForged: boolean): string {
  const fields: Readonly<Record<string, string>> = {
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: topic,
    Timestamp: new Date().toISOString(),
    SignatureVersion: '2',
    SigningCertURL: certificateUrl,
    ...JSON.parse(body),
  };
  const signed =
    fields.Type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const content = signed.map((name) => (name in fields ? `${name}\n${fields[name]}\n` : '')).join('');
  const { privateKey } = isForged ? others : keys;
  const algorithm = fields.SignatureVersion === '1' ? 'sha1' : 'sha256';
  return JSON.stringify({ ...fields, Signature: sign(algorithm, Buffer.from(content), privateKey).toString('base64') });
}
