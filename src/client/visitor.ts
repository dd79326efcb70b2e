import { type Challenge, solve } from './challenge.ts';
import { errorOf, Requests } from './requests.ts';
import { triggerUrl } from './trigger-url.ts';
import type { VisitorOptions } from './types.ts';

/**
 * The credential of a page without a sign-in: it solves a challenge of the gateway by proof of work, and is remembered until
 * it expires or is refused. For one trigger and one session.
 */
export function visitorCredential({
  trigger,
  sessionId,
  ...options
}: VisitorOptions): (refused?: boolean) => Promise<string> {
  const requests = new Requests(options);
  const url = `${triggerUrl(options.url, trigger)}/token`;
  const ask = async <Answer>(method: 'GET' | 'POST', body?: string): Promise<Answer> => {
    const response = await requests.send({ method, url, body, isRepeatable: true });
    if (!response.ok) throw await errorOf(response);
    return (await response.json()) as Answer;
  };
  const earn = async (): Promise<Earned> => {
    const altcha = await solve(await ask<Challenge>('GET'));
    const { token, expiresAt } = await ask<Issued>('POST', JSON.stringify({ altcha, sessionId }));
    const leftMs = Date.parse(expiresAt) - Date.now();
    // A clock that is wrong says nothing: then the gateway will refuse the token when it has expired.
    return { token, staleAt: leftMs > 0 ? Date.now() + leftMs * 0.9 : Infinity };
  };
  let earned: Earned | undefined;
  let earning: Promise<Earned> | undefined;
  return async (isRefused = false) => {
    if (earning === undefined && earned !== undefined && !isRefused && Date.now() < earned.staleAt) return earned.token;
    earning ??= earn().finally(() => {
      earning = undefined;
    });
    earned = await earning;
    return earned.token;
  };
}

interface Issued {
  readonly token: string;
  readonly expiresAt: string;
}

interface Earned {
  readonly token: string;
  /** When another one is due, in milliseconds since the epoch. */
  readonly staleAt: number;
}
