import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { sign as signAsGithub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as Svix } from 'svix';
import { getExpectedBodyHash, getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import type { PresetName } from '../../../plugins/auth/signature/presets.ts';

/** When the senders of the samples sign, in milliseconds. */
export const now = Date.UTC(2027, 5, 30, 12);
export const seconds = String(now / 1000);

/** A request as a sender makes it. */
export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly query?: string;
}

export interface Sample {
  readonly scheme: PresetName;
  /** Which of the sender's requests this is, if it makes several. */
  readonly name?: string;
  /** A secret that the sender may issue; undefined for a sender with a key pair. */
  readonly secret?: string;
  readonly publicKeys?: string[];
  sign(secret: string, time: string): Signed | Promise<Signed>;
  /** The sender signs no time. */
  readonly isTimeless?: boolean;
  /** The sender does not sign the body. */
  readonly hasFreeBody?: boolean;
  readonly event?: { readonly name?: string; readonly id?: string; readonly time?: string };
}

export const hmac = (
  secret: string | Buffer,
  content: string | Uint8Array,
  encoding: 'hex' | 'base64' = 'hex',
  algorithm = 'sha256',
) => createHmac(algorithm, secret).update(content).digest(encoding);

export const publicUrl = 'https://hooks.example.com';
export const path = '/api/v1.0/project/support/trigger/refund';
const url = publicUrl + path;

const ed25519 = generateKeyPairSync('ed25519');
const rawEd25519 = ed25519.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
export const keyPairs = { ed25519, p256, rawEd25519 };

const stripe = new Stripe('sk_test_of_nobody');
const whsec = `whsec_${Buffer.from('a key that the sender issued').toString('base64')}`;

export const twilioForm =
  'ToCountry=US&Body=s%C3%BC%C3%9F+%26+sauer&From=%2B15017250604&To=%2B15558675310&MessageSid=SM1&NumMedia=0&SmsStatus=received';
const formType = 'application/x-www-form-urlencoded; charset=UTF-8';

export const samples: readonly Sample[] = [
  {
    scheme: 'standard-webhooks',
    secret: whsec,
    event: { name: 'user.created', id: 'msg_1', time: '2027-06-30T12:00:00Z' },
    sign(secret, time) {
      const body = '{"type":"user.created","timestamp":"2027-06-30T12:00:00Z"}';
      const signature = new Webhook(secret).sign('msg_1', new Date(Number(time) * 1000), body);
      return { headers: { 'webhook-id': 'msg_1', 'webhook-timestamp': time, 'webhook-signature': signature }, body };
    },
  },
  {
    scheme: 'standard-webhooks',
    name: 'with a key pair',
    publicKeys: [`whpk_${rawEd25519.toString('base64')}`],
    event: { name: 'user.created', id: 'msg_1' },
    sign(_, time) {
      const body = '{"type":"user.created"}';
      const signature = sign(null, Buffer.from(`msg_1.${time}.${body}`), ed25519.privateKey).toString('base64');
      const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': time, 'webhook-signature': `v1a,${signature}` };
      return { headers, body };
    },
  },
  {
    scheme: 'standard-webhooks',
    name: 'with the header names of Svix',
    secret: whsec,
    event: { name: 'invoice.paid', id: 'msg_2' },
    sign: signAsSvix,
  },
  { scheme: 'svix', secret: whsec, event: { name: 'invoice.paid', id: 'msg_2' }, sign: signAsSvix },
  {
    scheme: 'github',
    secret: 'chosen by the user',
    isTimeless: true,
    event: { name: 'push', id: '72d3162e-cc78-11e3-81ab-4c9367dc0958' },
    async sign(secret) {
      const body = '{"ref":"refs/heads/main","text":"süß \\u00e9 💶"}\n';
      const headers = { 'x-github-event': 'push', 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' };
      return { headers: { ...headers, 'x-hub-signature-256': await signAsGithub(secret, body) }, body };
    },
  },
  {
    scheme: 'gitlab',
    name: 'with a secret token',
    secret: 'chosen by the user',
    isTimeless: true,
    hasFreeBody: true,
    event: { name: 'Push Hook', id: '13792a34-cac6-4fda-95a8-c58e00a3954e' },
    sign(secret) {
      const headers = { 'x-gitlab-event': 'Push Hook', 'x-gitlab-event-uuid': '13792a34-cac6-4fda-95a8-c58e00a3954e' };
      return { headers: { ...headers, 'x-gitlab-token': secret }, body: '{"object_kind":"push"}' };
    },
  },
  {
    scheme: 'gitlab',
    name: 'with a signing token',
    secret: whsec,
    event: { name: 'Push Hook', id: 'msg_1' },
    sign(secret, time) {
      const body = '{"object_kind":"push"}';
      const signature = new Webhook(secret).sign('msg_1', new Date(Number(time) * 1000), body);
      const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': time, 'webhook-signature': signature };
      return { headers: { ...headers, 'x-gitlab-event': 'Push Hook' }, body };
    },
  },
  {
    scheme: 'bitbucket',
    secret: 'chosen by the user',
    isTimeless: true,
    event: { name: 'repo:push', id: 'request-1' },
    sign(secret) {
      const body = '{"push":{"changes":[]}}';
      const headers = { 'x-event-key': 'repo:push', 'x-request-uuid': 'request-1' };
      return { headers: { ...headers, 'x-hub-signature': `sha256=${hmac(secret, body)}` }, body };
    },
  },
  {
    scheme: 'slack',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    event: { name: 'app_mention', id: 'Ev0LAN670R', time: '1814356800' },
    sign(secret, time) {
      const body =
        '{"type":"event_callback","event":{"type":"app_mention"},"event_id":"Ev0LAN670R","event_time":1814356800}';
      const signature = `v0=${hmac(secret, `v0:${time}:${body}`)}`;
      return { headers: { 'x-slack-request-timestamp': time, 'x-slack-signature': signature }, body };
    },
  },
  {
    scheme: 'stripe',
    secret: 'whsec_is_text_here',
    event: { name: 'charge.succeeded', id: 'evt_1', time: '1814356800' },
    sign(secret, time) {
      const payload = '{"id":"evt_1","type":"charge.succeeded","created":1814356800}';
      const signed = stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: Number(time) });
      return { headers: { 'stripe-signature': signed }, body: payload };
    },
  },
  {
    scheme: 'shopify',
    secret: 'hush',
    isTimeless: true,
    event: { name: 'orders/create', id: 'event-1', time: '2027-06-30T12:00:00.123456789Z' },
    sign(secret) {
      const body = '{"id":820982911946154508,"email":"jon@example.com"}';
      const headers = {
        'x-shopify-topic': 'orders/create',
        'x-shopify-event-id': 'event-1',
        'x-shopify-triggered-at': '2027-06-30T12:00:00.123456789Z',
      };
      return { headers: { ...headers, 'x-shopify-hmac-sha256': hmac(secret, body, 'base64') }, body };
    },
  },
  {
    scheme: 'linear',
    secret: 'lin_wh_secret',
    event: { name: 'Issue', id: 'delivery-1', time: '2027-06-30T12:00:00.000Z' },
    sign(secret, time) {
      const event = { action: 'create', type: 'Issue', createdAt: '2027-06-30T12:00:00.000Z', data: { title: 'süß' } };
      const body = JSON.stringify({ ...event, webhookTimestamp: Number(time) * 1000 });
      const headers = { 'linear-event': 'Issue', 'linear-delivery': 'delivery-1' };
      return { headers: { ...headers, 'linear-signature': hmac(secret, body) }, body };
    },
  },
  {
    scheme: 'jira',
    secret: 'chosen by the user',
    isTimeless: true,
    event: { name: 'jira:issue_created', id: 'hook-1', time: '1814356800000' },
    sign(secret) {
      const body = '{"webhookEvent":"jira:issue_created","timestamp":1814356800000}';
      const headers = { 'x-atlassian-webhook-identifier': 'hook-1' };
      return { headers: { ...headers, 'x-hub-signature': `sha256=${hmac(secret, body)}` }, body };
    },
  },
  {
    scheme: 'twilio',
    name: 'with a form',
    secret: 'auth token',
    isTimeless: true,
    event: { id: 'token-1' },
    sign: (secret) => signAsTwilio(secret, 'HMAC_SHA1'),
  },
  {
    scheme: 'twilio',
    name: 'with a form and a shared key',
    secret: 'shared key secret',
    isTimeless: true,
    event: { id: 'token-1' },
    sign: (secret) => signAsTwilio(secret, 'HMAC_SHA256'),
  },
  {
    scheme: 'twilio',
    name: 'with JSON',
    secret: 'auth token',
    isTimeless: true,
    event: { name: 'onMessageAdded' },
    sign(secret) {
      const body = '{"EventType":"onMessageAdded","Body":"süß"}';
      const query = `tenant=1&bodySHA256=${getExpectedBodyHash(body)}`;
      const signature = getExpectedTwilioSignature(secret, `${url}?${query}`, {});
      return { headers: { 'content-type': 'application/json', 'x-twilio-signature': signature }, body, query };
    },
  },
  {
    scheme: 'sendgrid',
    publicKeys: [p256.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')],
    sign(_, time) {
      const body = '[{"email":"hello@example.com","event":"dropped"}]\r\n';
      const signature = sign('sha256', Buffer.from(time + body), p256.privateKey).toString('base64');
      const headers = { 'x-twilio-email-event-webhook-signature': signature };
      return { headers: { ...headers, 'x-twilio-email-event-webhook-timestamp': time }, body };
    },
  },
  {
    scheme: 'pagerduty',
    secret: 'issued',
    isTimeless: true,
    event: { name: 'incident.acknowledged', id: '01BZ', time: '2027-06-30T12:00:00Z' },
    sign(secret) {
      const event = { id: '01BZ', event_type: 'incident.acknowledged', occurred_at: '2027-06-30T12:00:00Z' };
      const body = JSON.stringify({ event });
      return { headers: { 'x-pagerduty-signature': `v1=${'0'.repeat(64)},v1=${hmac(secret, body)}` }, body };
    },
  },
  {
    scheme: 'mailgun',
    secret: 'signing key',
    hasFreeBody: true,
    event: { name: 'opened', id: 'Ase7i2zsRYeDXztHGENqRA', time: '1814356800.007' },
    sign(secret, time) {
      const token = 'a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0';
      const signature = { token, timestamp: time, signature: hmac(secret, time + token) };
      const data = { event: 'opened', id: 'Ase7i2zsRYeDXztHGENqRA', timestamp: 1814356800.007 };
      return { headers: {}, body: JSON.stringify({ signature, 'event-data': data }) };
    },
  },
  {
    scheme: 'discord',
    publicKeys: [rawEd25519.toString('hex')],
    event: { name: 'greet', id: '786008729715212338' },
    sign(_, time) {
      const body = '{"id":"786008729715212338","token":"A_UNIQUE_TOKEN","type":2,"data":{"name":"greet"}}';
      const signature = sign(null, Buffer.from(time + body), ed25519.privateKey).toString('hex');
      return { headers: { 'x-signature-ed25519': signature, 'x-signature-timestamp': time }, body };
    },
  },
  {
    scheme: 'zoom',
    secret: 'issued',
    event: { name: 'meeting.started', time: '1814356800000' },
    sign(secret, time) {
      const body = '{"event":"meeting.started","event_ts":1814356800000,"payload":{}}';
      const signature = `v0=${hmac(secret, `v0:${time}:${body}`)}`;
      return { headers: { 'x-zm-request-timestamp': time, 'x-zm-signature': signature }, body };
    },
  },
  {
    scheme: 'calendly',
    secret: 'issued',
    event: { name: 'invitee.created', time: '2027-06-30T12:00:00Z' },
    sign: (secret, time) =>
      signLikeStripe(secret, time, 'calendly-webhook-signature', {
        event: 'invitee.created',
        created_at: '2027-06-30T12:00:00Z',
      }),
  },
  {
    scheme: 'paddle',
    secret: 'pdl_ntfset_secret',
    event: { name: 'transaction.completed', id: 'evt_01', time: '2027-06-30T12:00:00Z' },
    sign(secret, time) {
      const body = '{"event_id":"evt_01","event_type":"transaction.completed","occurred_at":"2027-06-30T12:00:00Z"}';
      return { headers: { 'paddle-signature': `ts=${time};h1=${hmac(secret, `${time}:${body}`)}` }, body };
    },
  },
  {
    scheme: 'mux',
    secret: 'mux secret',
    event: { name: 'video.asset.ready', id: 'evt_1', time: '2027-06-30T12:00:00Z' },
    sign: (secret, time) =>
      signLikeStripe(secret, time, 'mux-signature', {
        type: 'video.asset.ready',
        id: 'evt_1',
        created_at: '2027-06-30T12:00:00Z',
      }),
  },
  {
    scheme: 'microsoft-graph',
    secret: 'client state',
    isTimeless: true,
    hasFreeBody: true,
    event: { name: 'updated' },
    sign(secret) {
      const one = { subscriptionId: 'a', clientState: secret, changeType: 'updated' };
      return { headers: {}, body: JSON.stringify({ value: [one, { ...one, changeType: 'created' }] }) };
    },
  },
  {
    scheme: 'square',
    secret: 'signature key',
    isTimeless: true,
    event: { name: 'payment.created', id: 'event-1', time: '2027-06-30T12:00:00Z' },
    sign(secret) {
      const body = '{"type":"payment.created","event_id":"event-1","created_at":"2027-06-30T12:00:00Z"}';
      return { headers: { 'x-square-hmacsha256-signature': hmac(secret, url + body, 'base64') }, body };
    },
  },
  {
    scheme: 'twitch',
    secret: 'chosen by the user',
    event: { name: 'channel.follow', id: 'message-1', time: '2027-06-30T12:00:00.123456789Z' },
    sign(secret, time) {
      const body = '{"subscription":{"type":"channel.follow"},"event":{}}';
      const timestamp = `${new Date(Number(time) * 1000).toISOString().slice(0, 19)}.123456789Z`;
      const headers = {
        'twitch-eventsub-message-id': 'message-1',
        'twitch-eventsub-message-type': 'notification',
        'twitch-eventsub-message-timestamp': timestamp,
        'twitch-eventsub-message-signature': `sha256=${hmac(secret, `message-1${timestamp}${body}`)}`,
      };
      return { headers, body };
    },
  },
];

function signAsSvix(secret: string, time: string): Signed {
  const body = '{"type":"invoice.paid"}';
  const signature = new Svix(secret).sign('msg_2', new Date(Number(time) * 1000), body);
  return { headers: { 'svix-id': 'msg_2', 'svix-timestamp': time, 'svix-signature': signature }, body };
}

function signAsTwilio(secret: string, algorithm: string): Signed {
  const parameters = Object.fromEntries(new URLSearchParams(twilioForm));
  const signature = getExpectedTwilioSignature(secret, `${url}?tenant=1`, parameters, algorithm);
  const headers = { 'content-type': formType, 'i-twilio-idempotency-token': 'token-1' };
  return { headers: { ...headers, 'x-twilio-signature': signature }, body: twilioForm, query: 'tenant=1' };
}

function signLikeStripe(secret: string, time: string, header: string, event: object): Signed {
  const body = JSON.stringify(event);
  return { headers: { [header]: `t=${time},v1=${hmac(secret, `${time}.${body}`)}` }, body };
}
