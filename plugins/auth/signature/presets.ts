import type { SenderBody, UnresolvedOptions } from '../../../src/contract/index.ts';
import { type BriefFormat, type Format, formatOf, formatOfHmac } from './format.ts';
import type { Options } from './options.gen.ts';

/** The senders that are known by name. */
export type PresetName = Exclude<Options['scheme'], 'hmac' | 'custom'>;

/** Slack and Zoom name a version in what they sign. */
const versioned = { prefix: 'v0=', payload: 'v0:{timestamp}:{body}' };

/** Stripe's form, which others have taken over: `t=1492774577,v1=…,v1=…` */
const stripeForm = { prefix: 'v1=', timestamp: 'item:t', payload: '{timestamp}.{body}' };

function standardWebhooks(names: 'webhook' | 'svix', isAsymmetric = false): BriefFormat {
  return {
    signature: `header:${names}-signature`,
    prefix: isAsymmetric ? 'v1a,' : 'v1,',
    separator: ' ',
    encoding: 'base64',
    ...(isAsymmetric ? { algorithm: 'ed25519' } : { key: 'whsec' }),
    timestamp: `header:${names}-timestamp`,
    id: `header:${names}-id`,
    payload: '{id}.{timestamp}.{body}',
    event: { name: 'body:/type', id: `header:${names}-id`, time: 'body:/timestamp' },
  };
}

const webhookNames = [standardWebhooks('webhook'), standardWebhooks('webhook', true)];
const svixNames = [standardWebhooks('svix'), standardWebhooks('svix', true)];

const twilio: BriefFormat = {
  signature: 'header:x-twilio-signature',
  encoding: 'base64',
  payload: '{url}{form}',
  bodyHash: 'query:bodySHA256',
  event: {
    name: ['body:/EventType', 'body:/MessageStatus', 'body:/SmsStatus', 'body:/CallStatus'],
    id: ['header:i-twilio-idempotency-token', 'body:/MessageSid', 'body:/CallSid'],
  },
};

interface Preset {
  /** The page on which the sender describes how it signs. */
  readonly source: string;
  /** In the order in which they are tried. */
  readonly formats: readonly BriefFormat[];
  /** What its webhooks are like; undefined for a form that many senders share. */
  readonly body?: SenderBody;
}

/** Members of a sender's body may have the names of Pullcord's fields with another meaning. */
const own: SenderBody = { fields: 'free' };
const ownForms: SenderBody = { fields: 'free', accept: ['json', 'form'] };
/** Where the form is only an envelope. */
const payloadForms: SenderBody = { ...ownForms, form: { json: 'payload' } };

const presets: Readonly<Record<PresetName, Preset>> = {
  'standard-webhooks': {
    source: 'https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md',
    formats: [...webhookNames, ...svixNames],
  },
  svix: {
    source: 'https://docs.svix.com/receiving/verifying-payloads/how-manual',
    formats: [...svixNames, ...webhookNames],
  },
  github: {
    source: 'https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries',
    body: payloadForms,
    formats: [
      {
        signature: 'header:x-hub-signature-256',
        prefix: 'sha256=',
        event: { name: 'header:x-github-event', id: 'header:x-github-delivery' },
        handshakes: [
          { when: { 'header:x-github-event': 'ping', 'body:/zen': '*' } },
          // In its form mode.
          { when: { 'header:x-github-event': 'ping', 'body:/payload/zen': '*' } },
        ],
      },
    ],
  },
  // A signing token, or a secret token that is sent as it is.
  gitlab: {
    source: 'https://docs.gitlab.com/user/project/integrations/webhooks',
    body: own,
    formats: [
      {
        ...standardWebhooks('webhook'),
        event: { name: 'header:x-gitlab-event', id: ['header:webhook-id', 'header:x-gitlab-event-uuid'] },
      },
      {
        signature: 'header:x-gitlab-token',
        algorithm: 'token',
        event: { name: 'header:x-gitlab-event', id: ['header:idempotency-key', 'header:x-gitlab-event-uuid'] },
      },
    ],
  },
  bitbucket: {
    source: 'https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks',
    body: own,
    formats: [
      {
        signature: 'header:x-hub-signature',
        prefix: 'sha256=',
        event: { name: 'header:x-event-key', id: ['header:x-request-uuid', 'header:x-request-id'], time: 'body:/date' },
        handshakes: [{ when: { 'header:x-event-key': 'diagnostics:ping' } }],
      },
    ],
  },
  slack: {
    source: 'https://docs.slack.dev/authentication/verifying-requests-from-slack',
    body: payloadForms,
    formats: [
      {
        ...versioned,
        signature: 'header:x-slack-signature',
        timestamp: 'header:x-slack-request-timestamp',
        event: {
          name: ['body:/event/type', 'body:/payload/type', 'body:/command', 'body:/type'],
          id: 'body:/event_id',
          time: 'body:/event_time',
        },
        // https://docs.slack.dev/reference/events/url_verification
        handshakes: [{ when: { 'body:/type': 'url_verification' }, json: { challenge: '{body:/challenge}' } }],
      },
    ],
  },
  stripe: {
    source: 'https://docs.stripe.com/webhooks#verify-manually',
    body: own,
    formats: [
      {
        ...stripeForm,
        signature: 'header:stripe-signature',
        event: { name: 'body:/type', id: 'body:/id', time: 'body:/created' },
      },
    ],
  },
  shopify: {
    source: 'https://shopify.dev/docs/apps/build/webhooks/subscribe/https',
    body: own,
    formats: [
      {
        signature: 'header:x-shopify-hmac-sha256',
        encoding: 'base64',
        event: {
          name: 'header:x-shopify-topic',
          id: ['header:x-shopify-event-id', 'header:x-shopify-webhook-id'],
          time: 'header:x-shopify-triggered-at',
        },
      },
    ],
  },
  linear: {
    source: 'https://linear.app/developers/webhooks',
    body: own,
    formats: [
      {
        signature: 'header:linear-signature',
        timestamp: 'body:/webhookTimestamp',
        event: { name: ['header:linear-event', 'body:/type'], id: 'header:linear-delivery', time: 'body:/createdAt' },
      },
    ],
  },
  jira: {
    source: 'https://developer.atlassian.com/cloud/jira/platform/webhooks',
    body: own,
    formats: [
      {
        signature: 'header:x-hub-signature',
        prefix: 'sha256=',
        event: { name: 'body:/webhookEvent', id: 'header:x-atlassian-webhook-identifier', time: 'body:/timestamp' },
      },
    ],
  },
  // SHA-256 with a shared key, SHA-1 with the auth token.
  twilio: {
    source: 'https://www.twilio.com/docs/usage/security',
    body: ownForms,
    formats: [
      { ...twilio, algorithm: 'hmac-sha256' },
      { ...twilio, algorithm: 'hmac-sha1' },
    ],
  },
  sendgrid: {
    source:
      'https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features',
    body: own,
    formats: [
      {
        signature: 'header:x-twilio-email-event-webhook-signature',
        encoding: 'base64',
        algorithm: 'ecdsa-sha256',
        timestamp: 'header:x-twilio-email-event-webhook-timestamp',
        payload: '{timestamp}{body}',
      },
    ],
  },
  pagerduty: {
    source: 'https://developer.pagerduty.com/docs/verifying-webhook-signatures',
    body: own,
    formats: [
      {
        signature: 'header:x-pagerduty-signature',
        prefix: 'v1=',
        event: { name: 'body:/event/event_type', id: 'body:/event/id', time: 'body:/event/occurred_at' },
        handshakes: [{ when: { 'body:/event/event_type': 'pagey.ping' } }],
      },
    ],
  },
  // The body is not signed.
  mailgun: {
    source: 'https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks',
    body: ownForms,
    formats: [
      {
        signature: 'body:/signature/signature',
        timestamp: 'body:/signature/timestamp',
        payload: '{timestamp}{body:/signature/token}',
        event: { name: 'body:/event-data/event', id: 'body:/event-data/id', time: 'body:/event-data/timestamp' },
      },
    ],
  },
  // And …/events/webhook-events.
  discord: {
    source: 'https://discord.com/developers/docs/interactions/overview',
    body: own,
    formats: [
      {
        signature: 'header:x-signature-ed25519',
        algorithm: 'ed25519',
        timestamp: 'header:x-signature-timestamp',
        payload: '{timestamp}{body}',
        event: {
          name: ['body:/event/type', 'body:/data/name', 'body:/type'],
          id: 'body:/id',
          time: 'body:/event/timestamp',
        },
        handshakes: [
          { when: { 'body:/type': '1', 'body:/token': '*' }, json: { type: 1 } },
          { when: { 'body:/type': '0' }, status: 204 },
        ],
      },
    ],
  },
  zoom: {
    source: 'https://developers.zoom.us/docs/api/webhooks',
    body: own,
    formats: [
      {
        ...versioned,
        signature: 'header:x-zm-signature',
        timestamp: 'header:x-zm-request-timestamp',
        event: { name: 'body:/event', time: 'body:/event_ts' },
        handshakes: [
          {
            when: { 'body:/event': 'endpoint.url_validation' },
            json: { plainToken: '{body:/payload/plainToken}', encryptedToken: '{hmac:body:/payload/plainToken}' },
          },
        ],
      },
    ],
  },
  calendly: {
    source: 'https://developer.calendly.com/api-docs/ZG9jOjM2MzE2MDM4-webhook-signatures',
    body: own,
    formats: [
      {
        ...stripeForm,
        signature: 'header:calendly-webhook-signature',
        event: { name: 'body:/event', time: 'body:/created_at' },
      },
    ],
  },
  paddle: {
    source: 'https://developer.paddle.com/webhooks/signature-verification',
    body: own,
    formats: [
      {
        signature: 'header:paddle-signature',
        prefix: 'h1=',
        separator: ';',
        timestamp: 'item:ts',
        payload: '{timestamp}:{body}',
        event: { name: 'body:/event_type', id: 'body:/event_id', time: 'body:/occurred_at' },
      },
    ],
  },
  mux: {
    source: 'https://www.mux.com/docs/core/verify-webhook-signatures',
    body: own,
    formats: [
      {
        ...stripeForm,
        signature: 'header:mux-signature',
        event: { name: 'body:/type', id: 'body:/id', time: 'body:/created_at' },
      },
    ],
  },
  'microsoft-graph': {
    source: 'https://learn.microsoft.com/graph/change-notifications-delivery-webhooks',
    body: own,
    formats: [
      {
        signature: 'body:/value/*/clientState',
        algorithm: 'token',
        event: { name: ['body:/value/0/lifecycleEvent', 'body:/value/0/changeType'] },
        handshakes: [{ when: { 'query:validationToken': '*' }, signed: false, text: '{query:validationToken}' }],
      },
    ],
  },
  square: {
    source: 'https://developer.squareup.com/docs/webhooks/step3validate',
    body: own,
    formats: [
      {
        signature: 'header:x-square-hmacsha256-signature',
        encoding: 'base64',
        payload: '{url}{body}',
        event: { name: 'body:/type', id: 'body:/event_id', time: 'body:/created_at' },
      },
    ],
  },
  twitch: {
    source: 'https://dev.twitch.tv/docs/eventsub/handling-webhook-events',
    body: own,
    formats: [
      {
        signature: 'header:twitch-eventsub-message-signature',
        prefix: 'sha256=',
        timestamp: 'header:twitch-eventsub-message-timestamp',
        id: 'header:twitch-eventsub-message-id',
        payload: '{id}{timestamp}{body}',
        event: {
          name: ['header:twitch-eventsub-subscription-type', 'body:/subscription/type'],
          id: 'header:twitch-eventsub-message-id',
          time: 'header:twitch-eventsub-message-timestamp',
        },
        handshakes: [
          {
            when: { 'header:twitch-eventsub-message-type': 'webhook_callback_verification' },
            text: '{body:/challenge}',
          },
        ],
      },
    ],
  },
};

/** The formats that a sender uses, in the order in which they are tried: the first that a request has decides. */
export function presetFormats(name: PresetName): readonly Format[] {
  return presets[name].formats.map(formatOf);
}

/** The formats that options choose or describe; none if the description is missing. */
export function formatsOf({ scheme, hmac, custom }: Pick<Options, 'scheme' | 'hmac' | 'custom'>): readonly Format[] {
  if (scheme === 'hmac') return hmac === undefined ? [] : [formatOfHmac(hmac)];
  if (scheme === 'custom') return custom === undefined ? [] : [custom];
  return presetFormats(scheme);
}

/** The same of options whose secrets are references: those stand in `secrets` alone, which no format reads. */
export function formatsOfUnresolved(options: UnresolvedOptions<Options>): readonly Format[] {
  return formatsOf(options as Options);
}

/** The page on which a sender describes how it signs. */
export function presetSource(name: PresetName): string {
  return presets[name].source;
}

/** What the bodies of a sender are like; undefined for a scheme of many senders. */
export function presetBody(name: Options['scheme']): SenderBody | undefined {
  return name === 'hmac' || name === 'custom' ? undefined : presets[name].body;
}

/** Secrets that a sender issues may have the form of another's, which is not a mistake there. */
export const secretPrefixes: Readonly<Partial<Record<PresetName, string>>> = { stripe: 'whsec_' };

export const presetNames = Object.keys(presets) as readonly PresetName[];
