import { request } from 'undici';
import type { JsonObject } from '../contract/index.ts';
import type { AuditEntryDocument } from '../runtime/audit/audit-entry.gen.ts';
import { parseLexically } from '../runtime/recording/lexical-json.ts';
import { AccessError } from './access-error.ts';

const deadlineMs = 30_000;

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
  /** The header, as sent. */
  readonly retryAfter: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: what our own admin listener answers.
  readonly body: any;
}

/** Asks the admin listener of a running gateway. */
export class AdminClient {
  readonly url: string;
  readonly #token: string | undefined;

  constructor(url: string, token: string | undefined) {
    this.url = url.replace(/\/$/, '');
    this.#token = token;
  }

  /** Whether an admin listener is there. */
  async isThere(): Promise<boolean> {
    try {
      const { body } = await this.#request('GET', '/livez');
      return body.status === 'ok';
    } catch {
      return false;
    }
  }

  /** Throws an AccessError if another server answers there, e.g. the public listener. */
  async check(): Promise<void> {
    const { status, text, body } = await this.#request('GET', '/livez').catch(this.#noAnswer);
    if (status === 403 && body.code === 'forbidden') throw this.#forbidden(body.detail);
    if (text !== '{"status":"ok"}') throw new AccessError(`${this.url} is not an admin listener`);
  }

  /** Throws an AccessError if there is no answer, or the token is rejected. */
  async ask(method: 'GET' | 'POST', path: string): Promise<AdminAnswer> {
    const answer = await this.#request(method, path).catch(this.#noAnswer);
    if (answer.status === 401) throw this.#unauthorized();
    if (answer.status === 403) throw this.#forbidden(answer.body.detail);
    return answer;
  }

  /** The answer unparsed, so that numbers keep their digits. */
  async askLexically(path: string): Promise<{ readonly status: number; readonly body: JsonObject }> {
    const { status, text } = await this.ask('GET', path);
    return { status, body: parseLexically(text) as JsonObject };
  }

  /** A text answer that may be long, as a stream; `ok` is false for an invalid request. */
  async lines(
    path: string,
  ): Promise<
    { readonly ok: true; readonly lines: AsyncIterable<string> } | { readonly ok: false; readonly message: string }
  > {
    const { statusCode, body } = await this.#send('GET', path, undefined).catch(this.#noAnswer);
    if (statusCode === 200) {
      body.setEncoding('utf8');
      return { ok: true, lines: body };
    }
    const { detail } = Object(await body.json());
    if (statusCode === 400) return { ok: false, message: String(detail) };
    if (statusCode === 401) throw this.#unauthorized();
    if (statusCode === 403) throw this.#forbidden(detail);
    throw new AccessError(`${this.url} answered ${statusCode}: ${detail}`);
  }

  async #request(method: 'GET' | 'POST', path: string): Promise<AdminAnswer> {
    const { statusCode: status, headers, body } = await this.#send(method, path, AbortSignal.timeout(deadlineMs));
    const { 'retry-after': retryAfter } = headers;
    const { url } = this;
    const text = await body.text();
    return {
      status,
      text,
      retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
      get body() {
        try {
          return Object(JSON.parse(text));
        } catch {
          throw new AccessError(`${url} is not an admin listener`);
        }
      },
    };
  }

  /** Without a signal there is no deadline while data arrives. */
  #send(method: 'GET' | 'POST', path: string, signal: AbortSignal | undefined) {
    return request(`${this.url}${path}`, {
      method,
      headers: {
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        // A form cannot send it: the admin listener changes nothing without.
        ...(method === 'POST' && { 'content-type': 'application/json' }),
      },
      headersTimeout: deadlineMs,
      bodyTimeout: deadlineMs,
      ...(signal && { signal }),
    });
  }

  readonly #noAnswer = (error: unknown): never => {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const hint = reason === 'ERR_INVALID_URL' ? ' (write it as http://HOST:PORT)' : '';
    throw new AccessError(`no answer from ${this.url}: ${reason}${hint}`, { isPassing: hint === '' });
  };

  #unauthorized(): AccessError {
    return new AccessError(
      this.#token === undefined
        ? `the admin listener at ${this.url} requires a token: set PULLCORD_ADMIN_TOKEN`
        : `the admin listener at ${this.url} rejected this token: it is unknown or has expired; set PULLCORD_ADMIN_TOKEN to another`,
    );
  }

  /** Says what the listener says: which role is needed, or what to configure. */
  #forbidden(detail: unknown): AccessError {
    return new AccessError(`the admin listener at ${this.url} refused the request. ${detail}`);
  }
}

/** The given members of a filter, as the query of a URL. */
export function queryOf(filter: object): string {
  const given = Object.entries(filter).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/** The entries of the audit trail in an answer. */
export function entriesIn(body: JsonObject, client: AdminClient): readonly AuditEntryDocument[] {
  // As our own listener answers.
  return listIn(body, 'entries', client) as unknown as readonly AuditEntryDocument[];
}

/** The list in an answer; throws an AccessError if it has none, since then it is not our admin listener. */
export function listIn(body: JsonObject, name: string, { url }: AdminClient): readonly JsonObject[] {
  const list = body[name];
  if (!Array.isArray(list)) throw new AccessError(`${url} is not an admin listener`);
  return list;
}
