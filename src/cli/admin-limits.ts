import type { LimitFilter, ListedLimits, ResetLimit } from '../runtime/limits/limit-operations.ts';
import type { LimitsAccess } from './access.ts';
import { type AdminClient, listIn, queryOf } from './admin-client.ts';

/** The limits of a running gateway, through its admin listener. */
export class AdminLimits implements LimitsAccess {
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  async list(filter: LimitFilter): Promise<ListedLimits> {
    const { status, body } = await this.#client.ask('GET', `/limits${queryOf(filter)}`);
    if (status === 400 && body.limit !== undefined) return { ok: false, kind: 'not_found' };
    if (status === 400) return { ok: false, kind: 'invalid', message: String(body.detail) };
    return { ok: true, limits: listIn(body, 'limits', this.#client) };
  }

  async reset(limit: string, value: string | undefined): Promise<ResetLimit> {
    const { status, body } = await this.#client.ask('POST', `/limits/reset${queryOf({ limit, value })}`);
    if (status === 404) return { kind: 'not_found' };
    if (status === 400) return { kind: 'ambiguous', ids: Array.isArray(body.ids) ? body.ids : [] };
    return { kind: 'reset', limit: body.limit, counters: body.counters };
  }
}
