import { type HmacForm, hmacScheme } from './hmac-scheme.ts';
import type { Options } from './options.gen.ts';
import { decodeSignature, parseTimestamp, type Scheme } from './scheme.ts';

/** The scheme that the options name; undefined for `hmac` without a form. */
export function schemeOf(name: Options['scheme'], form: HmacForm | undefined): Scheme | undefined {
  switch (name) {
    case 'github':
      return hmacScheme(github);
    case 'slack':
      return hmacScheme(slack);
    case 'stripe':
      return stripe;
    case 'standard-webhooks':
      return standardWebhooks;
    case 'hmac':
      return form && hmacScheme(form);
  }
}

/** https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
const github: HmacForm = { header: 'x-hub-signature-256', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' };

/** https://docs.slack.dev/authentication/verifying-requests-from-slack */
const slack: HmacForm = {
  header: 'x-slack-signature',
  algorithm: 'sha256',
  encoding: 'hex',
  prefix: 'v0=',
  timestampHeader: 'x-slack-request-timestamp',
  payload: 'v0:{timestamp}:{body}',
};

/** `t=1492774577,v1=…,v1=…,v0=…`: https://docs.stripe.com/webhooks#verify-manually */
const stripe: Scheme = {
  header: 'stripe-signature',
  algorithm: 'sha256',
  keyOf: (secret) => Buffer.from(secret),
  read(field) {
    const items = itemsOf(field, ',').map((item) => item.split('=', 2));
    const valuesOf = (name: string) => items.flatMap(([key, value]) => (key === name && value ? [value] : []));
    const [timestamp, ...others] = valuesOf('t');
    const timestampMs = parseTimestamp(timestamp);
    const signatures = decoded(valuesOf('v1'), 'hex');
    if (timestampMs === undefined || others.length > 0 || signatures.length === 0) return undefined;
    return { signatures, timestampMs, before: `${timestamp}.`, after: '' };
  },
};

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const standardWebhooks: Scheme = {
  header: 'webhook-signature',
  algorithm: 'sha256',
  keyOf: webhookKey,
  read(field, headers) {
    const { 'webhook-id': id, 'webhook-timestamp': timestamp } = headers;
    const timestampMs = parseTimestamp(timestamp);
    const offered = itemsOf(field, ' ').flatMap((item) => (item.startsWith('v1,') ? [item.slice(3)] : []));
    const signatures = decoded(offered, 'base64');
    if (typeof id !== 'string' || id === '' || timestampMs === undefined || signatures.length === 0) return undefined;
    return { signatures, timestampMs, before: `${id}.${timestamp}.`, after: '' };
  },
};

/** As the gateway signs its own callbacks: base64 after `whsec_`, any other text as it is. */
function webhookKey(secret: string): Buffer | undefined {
  if (!secret.startsWith('whsec_')) return Buffer.from(secret);
  const text = secret.slice('whsec_'.length);
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={0,2})?$/.test(text) && text !== ''
    ? Buffer.from(text, 'base64')
    : undefined;
}

/** Senders offer two or three signatures while they rotate their secret. */
const mostItems = 16;

function itemsOf(field: string, separator: string): readonly string[] {
  const items = field.split(separator, mostItems + 1);
  return items.length > mostItems ? [] : items;
}

/** Signatures of a wrong length match nothing; the others count. */
function decoded(texts: readonly string[], encoding: 'hex' | 'base64'): readonly Buffer[] {
  return texts.flatMap((text) => decodeSignature(text, encoding, 'sha256') ?? []);
}
