import { Webhook } from 'standardwebhooks';
import type { OptionsProblem } from '../../../src/contract/index.ts';

/** Returns the headers by which a receiver verifies a message (https://www.standardwebhooks.com). */
export type Sign = (id: string, body: string) => Readonly<Record<string, string>>;

/** Returns a function that signs with each of the secrets: a receiver needs to know one of them. */
export function signerOf(secrets: readonly string[]): Sign {
  const webhooks = secrets.map(webhookOf);
  return (id, body) => {
    const at = new Date();
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': webhooks.map((webhook) => webhook.sign(id, at, body)).join(' '),
    };
  };
}

/** Returns what is wrong with secrets: after `whsec_` they must be base64. */
export function secretProblems(secrets: readonly string[], pointer: string): OptionsProblem[] {
  return secrets.flatMap((secret, index) => {
    try {
      webhookOf(secret);
      return [];
    } catch {
      return [{ pointer: `${pointer}/${index}`, message: 'must have base64 after whsec_' }];
    }
  });
}

function webhookOf(secret: string): Webhook {
  return secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });
}
