import { Webhook } from 'standardwebhooks';

/** Whether a text can sign callbacks: after the prefix `whsec_` it must be base64. */
export function isSigningSecret(secret: string): boolean {
  try {
    webhookOf(secret);
    return true;
  } catch {
    return false;
  }
}

/** The value of `webhook-signature` (Standard Webhooks, https://www.standardwebhooks.com). */
export function signatureOf(secret: string, id: string, at: Date, body: string): string {
  return webhookOf(secret).sign(id, at, body);
}

function webhookOf(secret: string): Webhook {
  return secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });
}
