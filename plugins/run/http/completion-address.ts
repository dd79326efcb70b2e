import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RunRequest } from '../../../src/contract/index.ts';

/** Completion addresses: each is signed for its run, so that only the agent that was sent it can use it. */
export class CompletionAddresses {
  readonly #gateway: URL;
  readonly #secrets: readonly string[];

  constructor(gateway: URL, secrets: readonly string[]) {
    this.#gateway = gateway;
    this.#secrets = secrets;
  }

  /** Returns where the agent posts the completion of a run. */
  of({ id, completionUrl }: RunRequest): string {
    const url = new URL(completionUrl, this.#gateway);
    url.searchParams.set('token', tokenOf(this.#secrets[0] ?? '', id).toString('base64url'));
    return url.href;
  }

  /** Returns whether a query was signed for a run, in constant time. */
  verify(query: string, runId: string): boolean {
    const given = Buffer.from(new URLSearchParams(query).get('token') ?? '', 'base64url');
    let isKnown = false;
    for (const secret of this.#secrets) {
      const token = tokenOf(secret, runId);
      if (given.length === token.length && timingSafeEqual(given, token)) isKnown = true;
    }
    return isKnown;
  }
}

function tokenOf(secret: string, runId: string): Buffer {
  return createHmac('sha256', secret).update(`pullcord completion ${runId}`).digest();
}
