import { sign as signAsGithub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as Svix } from 'svix';
import { getExpectedBodyHash, getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import type { SentRequest } from '../../src/contract/index.ts';
import { secrets } from '../support/config-folder.ts';
import { signedMessage, topic } from './amazon.ts';
import { pairSender, type Sender, secretSender } from './sender.ts';

const stripe = new Stripe('sk_test_of_nobody');
const webhookKey = (text: string) => `whsec_${Buffer.from(text).toString('base64')}`;
const free = { body: { fields: 'free' } };
const plain = { prefix: '', separator: ',', encoding: 'hex', algorithm: 'hmac-sha256', key: 'text' } as const;

/** Senders of webhooks by the name of their scheme. Their triggers have nothing but that. */
const known: readonly Sender[] = [
  secretSender('github', 'github', {
    headers: () => ({ 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' }),
    sign: async (secret, { body }) => ({ headers: { 'x-hub-signature-256': await signAsGithub(secret, body) } }),
  }),
  secretSender('stripe', 'stripe', {
    headers: () => ({ 'content-type': 'application/json; charset=utf-8' }),
    sign: (secret, { body: payload }) => ({
      headers: { 'stripe-signature': stripe.webhooks.generateTestHeaderString({ payload, secret }) },
    }),
  }),
  secretSender('twilio', 'twilio', { sign: signAsTwilio }),
  secretSender('slack', 'slack'),
  secretSender('shopify', 'shopify', { headers: ({ event = '' }) => ({ 'x-shopify-topic': event }) }),
  secretSender('gitlab', 'gitlab', { headers: ({ event = '' }) => ({ 'x-gitlab-event': event }) }),
  secretSender('gitlab', 'gitlab', {
    key: 'gitlab-signed',
    issue: webhookKey,
    headers: ({ event = '' }) => ({ 'x-gitlab-event': event }),
  }),
  secretSender('linear', 'linear', { headers: ({ event = '' }) => ({ 'linear-event': event }) }),
  secretSender('jira', 'jira'),
  secretSender('bitbucket', 'bitbucket', { headers: ({ event = '' }) => ({ 'x-event-key': event }) }),
  pairSender('sendgrid', 'ec'),
  secretSender('pagerduty', 'pagerduty'),
  secretSender('mailgun', 'mailgun'),
  pairSender('discord', 'ed25519'),
  secretSender('zoom', 'zoom'),
  secretSender('calendly', 'calendly'),
  secretSender('paddle', 'paddle'),
  secretSender('mux', 'mux'),
  secretSender('microsoft-graph', 'microsoft-graph', {
    headers: () => ({ 'content-type': 'application/json; charset=utf-8' }),
  }),
  secretSender('square', 'square'),
  secretSender('twitch', 'twitch', {
    headers: ({ event = '' }) => ({
      'twitch-eventsub-message-type': 'notification',
      'twitch-eventsub-subscription-type': event,
    }),
  }),
  {
    ...{ name: 'aws-sns', key: 'aws-sns' },
    trigger: { auth: { uses: 'amazon', with: { topics: [topic] } } },
    headers: () => ({ 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': 'Notification' }),
    sign: (request, isForged) => ({ ...request, body: signedMessage(request.body, isForged) }),
  },
];

/** Senders of a scheme that many share: their triggers say that the members are the sender's. */
const general: readonly Sender[] = [
  secretSender('standard-webhooks', 'standard-webhooks', {
    issue: webhookKey,
    trigger: free,
    sign: (secret, { body }) => ({
      headers: {
        'webhook-id': 'msg_1',
        'webhook-timestamp': inSeconds(),
        'webhook-signature': new Webhook(secret).sign('msg_1', new Date(), body),
      },
    }),
  }),
  secretSender('svix', 'svix', {
    issue: webhookKey,
    trigger: free,
    sign: (secret, { body }) => ({
      headers: {
        'svix-id': 'msg_2',
        'svix-timestamp': inSeconds(),
        'svix-signature': new Svix(secret).sign('msg_2', new Date(), body),
      },
    }),
  }),
  {
    ...{ name: 'alertmanager', key: 'alertmanager' },
    trigger: { auth: { uses: 'api-key' }, ...free },
    headers: () => ({}),
    sign: (request, isForged) => {
      const authorization = `Bearer ${isForged ? 'pc_nobody_knows_this_one' : secrets.website}`;
      return { ...request, headers: { ...request.headers, authorization } };
    },
  },
  secretSender('grafana', 'custom', {
    custom: { ...plain, signature: 'header:x-grafana-alerting-signature' },
    trigger: free,
  }),
  secretSender('sentry', 'custom', {
    custom: { ...plain, signature: 'header:sentry-hook-signature', event: { name: 'header:sentry-hook-resource' } },
    headers: ({ event = '' }) => ({ 'sentry-hook-resource': event }),
    trigger: free,
  }),
  secretSender('typeform', 'custom', {
    custom: {
      ...{ ...plain, signature: 'header:typeform-signature', prefix: 'sha256=', encoding: 'base64' },
      event: { name: 'body:/event_type', id: 'body:/event_id' },
    },
    trigger: free,
  }),
  secretSender('intercom', 'custom', {
    custom: {
      ...{ ...plain, signature: 'header:x-hub-signature', prefix: 'sha1=', algorithm: 'hmac-sha1' },
      event: { name: 'body:/topic', id: 'body:/id' },
    },
    trigger: free,
  }),
  secretSender('telegram', 'custom', {
    custom: { ...plain, signature: 'header:x-telegram-bot-api-secret-token', algorithm: 'token' },
    trigger: free,
  }),
  secretSender('whatsapp', 'custom', {
    custom: { ...plain, signature: 'header:x-hub-signature-256', prefix: 'sha256=' },
    trigger: free,
  }),
  secretSender('cloudevents', 'custom', {
    custom: { ...plain, signature: 'header:x-signature', event: { name: 'body:/type', id: 'body:/id' } },
    headers: () => ({ 'content-type': 'application/cloudevents+json' }),
    trigger: free,
  }),
];

export const senders: readonly Sender[] = [...known, ...general];

function inSeconds(): string {
  return String(Math.floor(Date.now() / 1000));
}

/** Twilio signs the members of a form. Of JSON it signs a hash in the query. */
function signAsTwilio(secret: string, { url, headers, body }: SentRequest): Partial<SentRequest> {
  if (headers['content-type'] !== 'application/json') {
    const signature = getExpectedTwilioSignature(secret, url, Object.fromEntries(new URLSearchParams(body)));
    return { headers: { 'x-twilio-signature': signature, 'i-twilio-idempotency-token': '1' } };
  }
  const hashed = `${url}?bodySHA256=${getExpectedBodyHash(body)}`;
  return { url: hashed, headers: { 'x-twilio-signature': getExpectedTwilioSignature(secret, hashed, {}) } };
}
