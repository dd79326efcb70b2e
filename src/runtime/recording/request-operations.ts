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

/** A filter for a list of recorded requests, as an operator writes it. */
export interface RequestFilter extends ListFilter {
  readonly verdict?: string | undefined;
}

export type ListedRequests =
  | { readonly ok: true; readonly requests: readonly JsonObject[]; readonly next: string | undefined }
  /** Why the filter is invalid. */
  | { readonly ok: false; readonly message: string };

export type ExportedRequests =
  | { readonly ok: true; readonly lines: AsyncIterable<string> }
  | { readonly ok: false; readonly message: string };

/** How many requests an export reads at a time: their bodies may be large. */
const exportPage = 25;

/** What operators do with recorded requests: through the admin listener, or on the files of a gateway that is not running. */
export class RequestOperations {
  readonly #recordings: Recordings | undefined;
  readonly #config: () => Config;

  constructor(recordings: Recordings | undefined, config: () => Config) {
    this.#recordings = recordings;
    this.#config = config;
  }

  /** Newest first. */
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

  /** @param id its own, or the `X-Request-Id` of its answer: of several, the latest */
  async show(id: string): Promise<JsonObject | undefined> {
    const request = await this.#find(id);
    return request && detailRequest(request);
  }

  /** A recorded request as a line of an export. */
  async line(id: string): Promise<string | undefined> {
    const request = await this.#find(id);
    return request && exportLine(request);
  }

  async #find(id: string): Promise<RecordedRequest | undefined> {
    const found = await this.#recordings?.get(id);
    if (found !== undefined) return found;
    const [latest] = await this.#list({ requestId: id, order: 'newest', limit: 1 });
    return latest;
  }

  /** Oldest first, as JSON Lines. `limit` and `after` do not apply. */
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
        // Lets requests go first.
        await nextTurn();
      }
      if (page.length < exportPage) return;
      after = page.at(-1);
    }
  }

  async #list(query: RecordingQuery): Promise<readonly RecordedRequest[]> {
    return (await this.#recordings?.list(query)) ?? [];
  }

  /** The query for the engine, or why the filter is invalid. */
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
