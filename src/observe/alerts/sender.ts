import { type OutboundClient, OutboundError, retryAfterMs } from '../../contract/index.ts';
import type { AlertTarget } from '../../host/alert-targets.ts';
import { signatureOf } from '../../host/signing.ts';
import { type AlertMessage, slackBody, standardBody } from './message.ts';

/** What a receiver answered. */
export interface Delivery {
  readonly result: 'delivered' | 'gone' | 'failed';
  /** Undefined: there was no answer. */
  readonly status: number | undefined;
  readonly failure: string | undefined;
  /** What it asks to wait before the next attempt. */
  readonly retryAfterMs: number;
}

/** How long one attempt may take, in milliseconds. */
const timeoutMs = 10_000;

export type SendAlert = (target: AlertTarget, message: AlertMessage) => Promise<Delivery>;

/** Sends a message to a receiver once. Never rejects. */
export function alertSender(client: OutboundClient, signal: AbortSignal): SendAlert {
  return async (target, message) => {
    try {
      const at = new Date();
      const body = target.format === 'slack' ? slackBody(message) : standardBody(message);
      const answer = await client.request(new URL(target.url), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'pullcord',
          'webhook-id': message.id,
          'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
          ...(target.format === 'standard' && {
            'webhook-signature': signatureOf(target.secret, message.id, at, body),
          }),
        },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      await answer.discard();
      const { status } = answer;
      const asked = retryAfterMs(answer.headers['retry-after'], at.getTime()) ?? 0;
      if (status >= 200 && status < 300) return { result: 'delivered', status, failure: undefined, retryAfterMs: 0 };
      const result = status === 410 ? 'gone' : 'failed';
      return { result, status, failure: `answered ${status}`, retryAfterMs: asked };
    } catch (error) {
      // Never the message of an error: it may hold the URL, which is a secret.
      const failure = OutboundError.from(error)?.code ?? 'did not answer in time';
      return { result: 'failed', status: undefined, failure, retryAfterMs: 0 };
    }
  };
}
