import { request } from 'undici';
import type { JsonObject } from '../contract/index.ts';
import type { CancelledRun, ListedRuns, ReplayedRun, RunFilter } from '../runtime/run-operations.ts';
import { AccessError, type RunsAccess } from './runs-access.ts';

const deadlineMs = 30_000;

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what our own admin listener answers.
  readonly body: any;
}

/** The runs of a running gateway, by its admin listener. */
export class AdminRuns implements RunsAccess {
  readonly url: string;
  readonly #token: string | undefined;

  constructor(url: string, token: string | undefined) {
    this.url = url.replace(/\/$/, '');
    this.#token = token;
  }

  /** Whether anything listens there. */
  async isThere(): Promise<boolean> {
    try {
      await this.#request('GET', '/livez');
      return true;
    } catch {
      return false;
    }
  }

  async list(filter: RunFilter): Promise<ListedRuns> {
    const given = Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const { status, body } = await this.#ask('GET', `/runs?${new URLSearchParams(given)}`);
    if (status === 400) return { ok: false, message: String(body.detail) };
    return { ok: true, runs: body.runs, next: body.next ?? undefined };
  }

  async show(id: string): Promise<JsonObject | undefined> {
    const { status, body } = await this.#ask('GET', `/runs/${encodeURIComponent(id)}`);
    return status === 404 ? undefined : body;
  }

  async cancel(id: string): Promise<CancelledRun> {
    const { status, body } = await this.#ask('POST', `/runs/${encodeURIComponent(id)}/cancel`);
    if (status === 404) return { kind: 'not_found' };
    return { kind: body.cancelled ? 'cancelled' : 'already_final', run: body.run };
  }

  async replay(id: string): Promise<ReplayedRun> {
    const { status, body } = await this.#ask('POST', `/runs/${encodeURIComponent(id)}/replay`);
    if (status === 202) return { kind: 'accepted', run: body };
    return body.code === 'run_not_found' ? { kind: 'not_found' } : { kind: body.code, reason: String(body.detail) };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #ask(method: 'GET' | 'POST', path: string): Promise<Answer> {
    const answer = await this.#request(method, path).catch((error: unknown) => {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      throw new AccessError(`no answer from ${this.url}: ${reason}`);
    });
    if (answer.status === 401) {
      throw new AccessError(`the admin listener at ${this.url} wants its token: set PULLCORD_ADMIN_TOKEN`);
    }
    return answer;
  }

  async #request(method: 'GET' | 'POST', path: string): Promise<Answer> {
    const { statusCode: status, body } = await request(`${this.url}${path}`, {
      method,
      headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
      signal: AbortSignal.timeout(deadlineMs),
    });
    return { status, body: await body.json() };
  }
}
