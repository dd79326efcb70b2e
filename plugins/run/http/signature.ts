import { Webhook } from 'standardwebhooks';
import type { OptionsProblem } from '../../../src/contract/index.ts';

/** Makes the headers by which a receiver knows that a message is ours (https://www.standardwebhooks.com). */
export type Sign = (id: string, body: string) => Readonly<Record<string, string>>;

/** Signs with each of the secrets, so that a receiver that knows one of them is content. */
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

/** Those of the secrets that can sign nothing: with `whsec_` in front they must be base64. */
export function faultsOfSecrets(secrets: readonly string[], pointer: string): OptionsProblem[] {
  return secrets.flatMap((secret, index) => {
    try {
      webhookOf(secret);
      return [];
    } catch {
      return [{ pointer: `${pointer}/${index}`, message: 'begins with whsec_, and base64 does not follow' }];
    }
  });
}

function webhookOf(secret: string): Webhook {
  return secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });
}
