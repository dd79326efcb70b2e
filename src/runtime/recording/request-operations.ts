import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../../config/model.ts';
import type { JsonObject } from '../../contract/index.ts';
import {
  type Engine,
  type RecordedRequest,
  type RecordedVerdict,
  type RecordingQuery,
  type Recordings,
  verdicts,
} from '../../engine/types/index.ts';
import { fireOnce } from '../happens-once.ts';
import { type ListFilter, parseListFilter, type Selection } from '../list-filter.ts';
import { readPage } from '../read-page.ts';
import { requestFields } from '../where/request-fields.ts';
import { detailRequest, exportLine, summarizeRequest } from './recorded-request-json.ts';

/** A filter for a list of recorded requests, as an operator writes it. */
export interface RequestFilter extends ListFilter {
  readonly verdict?: string | undefined;
  /** `true`: of each request, `firedAs` names the run that it was fired as. */
  readonly fires?: string | undefined;
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
  readonly #engine: Pick<Engine, 'holder'> | undefined;

  /** @param engine that of the same store, which knows what was fired */
  constructor(recordings: Recordings | undefined, config: () => Config, engine?: Pick<Engine, 'holder'>) {
    this.#recordings = recordings;
    this.#config = config;
    this.#engine = engine;
  }

  /** Newest first. */
  async list({ after, ...filter }: RequestFilter): Promise<ListedRequests> {
    const selected = this.#select(filter, 'newest');
    if (typeof selected === 'string') return { ok: false, message: selected };
    const { query, before, matches } = selected;
    const last = after === undefined ? undefined : await this.#recordings?.get(after);
    if (after !== undefined && last === undefined) {
      return { ok: false, message: 'after must be the id of a recorded request that is still kept' };
    }
    const first = earlier(last, before);
    const read = async (previous: RecordedRequest | undefined, limit: number) => {
      const place = previous ?? first;
      return this.#list({ ...query, limit, ...(place !== undefined && { after: place }) });
    };
    const { page, next } = await readPage(read, { limit: query.limit, matches });
    return { ok: true, requests: await Promise.all(page.map((request) => this.#summarize(request, filter))), next };
  }

  async #summarize(request: RecordedRequest, { fires }: RequestFilter): Promise<JsonObject> {
    const firedAs = fires === 'true' ? await this.#engine?.holder(fireOnce(request.id)) : undefined;
    return { ...summarizeRequest(request), ...(firedAs !== undefined && { firedAs }) };
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

  /** @param id as for `show` */
  find(id: string): Promise<RecordedRequest | undefined> {
    return this.#find(id);
  }

  async #find(id: string): Promise<RecordedRequest | undefined> {
    const found = await this.#recordings?.get(id);
    if (found !== undefined) return found;
    const [latest] = await this.#list({ requestId: id, order: 'newest', limit: 1 });
    return latest;
  }

  /** Oldest first, as JSON Lines. `limit` and `after` do not apply. */
  export({ after: _after, limit: _limit, ...filter }: RequestFilter): ExportedRequests {
    const selected = this.#select(filter, 'oldest');
    return typeof selected === 'string' ? { ok: false, message: selected } : { ok: true, lines: this.#lines(selected) };
  }

  async *#lines({ query, matches = () => true }: SelectedRequests): AsyncIterable<string> {
    let after: RecordedRequest | undefined;
    for (;;) {
      const page = await this.#list({ ...query, limit: exportPage, ...(after && { after }) });
      for (const request of page) {
        if (matches(request)) yield exportLine(request);
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

  /** What is listed, or why the filter is invalid. */
  #select({ verdict, ...filter }: RequestFilter, order: RecordingQuery['order']): SelectedRequests | string {
    const parsed = parseListFilter(filter, this.#config(), requestFields);
    if (!parsed.ok) return parsed.message;
    const { query, verdict: verdictOfWhere, ...selection } = parsed.selection;
    const decided = verdict ?? verdictOfWhere;
    if (decided === undefined) return { ...selection, query: { ...query, order } };
    return isVerdict(decided)
      ? { ...selection, query: { ...query, order, verdict: decided } }
      : `verdict must be one of ${verdicts.join(', ')}`;
  }
}

interface SelectedRequests extends Pick<Selection<RecordedRequest>, 'before' | 'matches'> {
  readonly query: RecordingQuery;
}

/** Where a list begins that continues after a request and has nothing from a time on. No id is less than the empty one. */
function earlier(last: RecordedRequest | undefined, before: number | undefined): RecordingQuery['after'] {
  if (before === undefined || (last !== undefined && last.receivedAt < before)) return last;
  return { id: '', receivedAt: before };
}

function isVerdict(text: string): text is RecordedVerdict {
  return verdicts.some((verdict) => verdict === text);
}
