import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../../config/model.ts';
import type { Audit, AuditEntry, AuditQuery } from '../../engine/types/index.ts';
import { type ListFilter, parseListFilter } from '../list-filter.ts';
import { readPage } from '../read-page.ts';
import type { AuditEntryDocument } from './audit-entry.gen.ts';
import { viewOfEntry } from './audit-entry-json.ts';

/** A filter for the audit trail, as an operator writes it. */
export interface AuditFilter extends Pick<ListFilter, 'since' | 'limit' | 'after'> {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
}

/** The members that a filter may have. */
export const auditFilters = ['since', 'actor', 'action', 'limit', 'after'] as const satisfies (keyof AuditFilter)[];

export type ListedAudit =
  | { readonly ok: true; readonly entries: readonly AuditEntryDocument[]; readonly next: string | undefined }
  /** Why the filter is invalid. */
  | { readonly ok: false; readonly message: string };

export type ExportedAudit =
  | { readonly ok: true; readonly lines: AsyncIterable<string> }
  | { readonly ok: false; readonly message: string };

/** Entries are not selected by conditions. */
const noFields = {};
/** How many entries an export reads at a time. */
const exportPage = 200;

/** What operators read of the audit trail: through the admin listener, or in the store of a gateway that is not running. */
export class AuditOperations {
  readonly #audit: Audit;
  readonly #config: () => Config;

  constructor(audit: Audit, config: () => Config) {
    this.#audit = audit;
    this.#config = config;
  }

  /** Newest first. */
  async list({ after, ...filter }: AuditFilter): Promise<ListedAudit> {
    const query = this.#query(filter, 'newest');
    if (typeof query === 'string') return { ok: false, message: query };
    const last = after === undefined ? undefined : await this.#audit.get(after);
    if (after !== undefined && last === undefined) {
      return { ok: false, message: 'after must be the id of an entry that is still kept' };
    }
    const read = async (_last: AuditEntry | undefined, limit: number) =>
      this.#audit.list({ ...query, limit, ...(last && { after: last }) });
    const { page, next } = await readPage(read, { limit: query.limit, matches: undefined });
    return { ok: true, entries: page.map(viewOfEntry), next };
  }

  /** Oldest first, as JSON Lines. `limit` and `after` do not apply. */
  export({ after: _after, limit: _limit, ...filter }: AuditFilter): ExportedAudit {
    const query = this.#query(filter, 'oldest');
    return typeof query === 'string' ? { ok: false, message: query } : { ok: true, lines: this.#lines(query) };
  }

  async *#lines(query: AuditQuery): AsyncIterable<string> {
    let after: AuditEntry | undefined;
    for (;;) {
      const page = await this.#audit.list({ ...query, limit: exportPage, ...(after && { after }) });
      if (page.length > 0) yield page.map((entry) => `${JSON.stringify(viewOfEntry(entry))}\n`).join('');
      if (page.length < exportPage) return;
      after = page.at(-1);
      // Lets requests go first.
      await nextTurn();
    }
  }

  /** The query for the engine, or why the filter is invalid. */
  #query({ actor, action, ...filter }: AuditFilter, order: AuditQuery['order']): AuditQuery | string {
    const parsed = parseListFilter(filter, this.#config(), noFields);
    if (!parsed.ok) return parsed.message;
    const { limit, since } = parsed.selection.query;
    return {
      ...{ order, limit },
      ...(since !== undefined && { since }),
      ...(actor !== undefined && { actor }),
      ...(action !== undefined && { action }),
    };
  }
}
