import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../../config/model.ts';
import type { JsonObject } from '../../contract/index.ts';
import {
  type RecordedRequest,
  type RecordedVerdict,
  type RecordingQuery,
  type Recordings,
  verdicts,
} from '../../engine/types/index.ts';
import { type ListFilter, pageOf, parseListFilter, withNext } from '../list-filter.ts';
import { detailRequest, exportLine, summarizeRequest } from './recorded-request-json.ts';

/** What an operator asks of a list of recorded requests. */
export interface RequestFilter extends ListFilter {
  readonly verdict?: string | undefined;
}

export type ListedRequests =
  | { readonly ok: true; readonly requests: readonly JsonObject[]; readonly next: string | undefined }
  /** What is wrong with the filter. */
  | { readonly ok: false; readonly message: string };

export type ExportedRequests =
  | { readonly ok: true; readonly lines: AsyncIterable<string> }
  | { readonly ok: false; readonly message: string };

/** How many requests an export reads at a time: their bodies may be large. */
const exportPage = 25;

/** What operators do with recorded requests, on the admin listener of a gateway or on the files of one that is not running. */
export class RequestOperations {
  readonly #recordings: Recordings | undefined;
  readonly #config: () => Config;

  constructor(recordings: Recordings | undefined, config: () => Config) {
    this.#recordings = recordings;
    this.#config = config;
  }

  /** The newest first. */
  async list({ after, ...filter }: RequestFilter): Promise<ListedRequests> {
    const query = this.#query(filter, 'newest');
    if (typeof query === 'string') return { ok: false, message: query };
    const last = after === undefined ? undefined : await this.#recordings?.get(after);
    if (after !== undefined && last === undefined) {
      return { ok: false, message: 'after must be the id of a recorded request that is still kept' };
    }
    const { page, next } = pageOf(await this.#list({ ...withNext(query), ...(last && { after: last }) }), query);
    return { ok: true, requests: page.map(summarizeRequest), next };
  }

  async show(id: string): Promise<JsonObject | undefined> {
    const request = await this.#recordings?.get(id);
    return request && detailRequest(request);
  }

  /** The same as a line of an export. */
  async line(id: string): Promise<string | undefined> {
    const request = await this.#recordings?.get(id);
    return request && exportLine(request);
  }

  /** The oldest first, as JSON Lines; `limit` bounds only pages. */
  export({ after: _after, limit: _limit, ...filter }: RequestFilter): ExportedRequests {
    const query = this.#query(filter, 'oldest');
    return typeof query === 'string' ? { ok: false, message: query } : { ok: true, lines: this.#lines(query) };
  }

  async *#lines(query: RecordingQuery): AsyncIterable<string> {
    let after: RecordedRequest | undefined;
    for (;;) {
      const page = await this.#list({ ...query, limit: exportPage, ...(after && { after }) });
      for (const request of page) {
        yield exportLine(request);
        // Requests come first.
        await nextTurn();
      }
      if (page.length < exportPage) return;
      after = page.at(-1);
    }
  }

  async #list(query: RecordingQuery): Promise<readonly RecordedRequest[]> {
    return (await this.#recordings?.list(query)) ?? [];
  }

  /** What the engine is to be asked, or what is wrong with the filter. */
  #query({ verdict, ...filter }: RequestFilter, order: RecordingQuery['order']): RecordingQuery | string {
    const parsed = parseListFilter(filter, this.#config());
    if (!parsed.ok) return parsed.message;
    if (verdict === undefined) return { ...parsed.query, order };
    return isVerdict(verdict) ? { ...parsed.query, order, verdict } : `verdict must be one of ${verdicts.join(', ')}`;
  }
}

function isVerdict(text: string): text is RecordedVerdict {
  return verdicts.some((verdict) => verdict === text);
}
