import { alertmanager } from './alertmanager.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { linear } from './linear.ts';
import type { Sender } from './sender.ts';
import { shopify } from './shopify.ts';
import { slack } from './slack.ts';
import { stripe } from './stripe.ts';
import { twilio } from './twilio.ts';

/** The senders for which init writes a trigger, by the name of their template. */
export const senders: ReadonlyMap<string, Sender> = new Map(
  [github, stripe, slack, shopify, gitlab, alertmanager, linear, twilio].map((sender) => [sender.name, sender]),
);
