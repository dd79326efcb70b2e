import { PullcordError } from './error.ts';
import { sleep } from './sleep.ts';
import type { ClientOptions, Problem } from './types.ts';

export interface Sent {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether it may be repeated although nobody knows whether it was taken. */
  readonly isRepeatable: boolean;
}

/** Without a credential, requests have none. */
type SendOptions = Partial<Pick<ClientOptions, 'credential' | 'retries' | 'fetch'>>;

/** The longest pause before a request is repeated, in milliseconds. */
const longestPauseMs = 30_000;

/** Sends requests with the credential, and repeats those that the gateway has not taken. */
export class Requests {
  readonly #options: SendOptions;

  constructor(options: SendOptions) {
    this.#options = options;
  }

  /** Returns any answer but one that a repetition may change. Throws a PullcordError for that one, at last. */
  async send(sent: Sent): Promise<Response> {
    const { retries = 3 } = this.#options;
    let isRefused = false;
    for (let attempt = 0; ; attempt += 1) {
      const isLast = attempt >= retries;
      let response: Response;
      try {
        response = await this.#once(sent, isRefused);
      } catch (error) {
        if (isLast || !sent.isRepeatable || sent.signal?.aborted) throw error;
        await sleep(pause(attempt), sent.signal);
        continue;
      }
      // 403 is also what a token gets whose time or uses are over.
      if (
        (response.status === 401 || response.status === 403) &&
        !isRefused &&
        typeof this.#options.credential === 'function'
      ) {
        isRefused = true;
        continue;
      }
      // Nothing was stored.
      if (isLast || (response.status !== 429 && response.status !== 503)) return response;
      const afterMs = retryAfterMs(response);
      // A limit of a day is for the user to know, not for a page to wait for.
      if (afterMs !== undefined && afterMs > longestPauseMs) return response;
      await response.body?.cancel();
      await sleep(afterMs ?? pause(attempt), sent.signal);
    }
  }

  async #once({ method, url, headers, body, signal }: Sent, isRefused: boolean): Promise<Response> {
    const { credential, fetch = globalThis.fetch } = this.#options;
    const key = typeof credential === 'function' ? await credential(isRefused) : credential;
    return fetch(url, {
      method,
      headers: {
        ...headers,
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
      credentials: 'omit',
      cache: 'no-store',
    });
  }
}

/** Doubles from half a second, and differs from one client to another. */
function pause(attempt: number): number {
  return Math.min(longestPauseMs, 500 * 2 ** attempt) * (0.5 + Math.random() / 2);
}

/** In milliseconds, from seconds or a date (RFC 9110 §10.2.3). */
function retryAfterMs({ headers }: Response): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** The error that an answer is. A proxy in between may answer in another form. */
export async function errorOf(response: Response): Promise<PullcordError> {
  const { status } = response;
  const members: unknown = await response.json().catch(() => undefined);
  const problem =
    typeof members === 'object' && members !== null && 'code' in members ? (members as Problem) : undefined;
  return new PullcordError(problem ?? { status, code: 'unknown', title: `HTTP ${status}` }, retryAfterMs(response));
}
