import type { JsonObject } from '../contract/index.ts';
import type { FiredRequest, FireOptions } from '../runtime/recording/fire-operations.ts';
import type { ExportedRequests, ListedRequests, RequestFilter } from '../runtime/recording/request-operations.ts';
import type { RequestsAccess } from './access.ts';
import { type AdminClient, listIn, queryOf } from './admin-client.ts';

/** The recorded requests of a running gateway, through its admin listener. */
export class AdminRequests implements RequestsAccess {
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  async list(filter: RequestFilter): Promise<ListedRequests> {
    const { status, body } = await this.#client.ask('GET', `/requests${queryOf(filter)}`);
    if (status === 400) return { ok: false, message: String(body.detail) };
    return { ok: true, requests: listIn(body, 'requests', this.#client), next: body.next ?? undefined };
  }

  async show(id: string): Promise<JsonObject | undefined> {
    const { status, body } = await this.#client.askLexically(`/requests/${encodeURIComponent(id)}`);
    return status === 404 ? undefined : body;
  }

  async export(filter: RequestFilter): Promise<ExportedRequests> {
    return this.#client.lines(`/requests/export${queryOf(filter)}`);
  }

  async fire(id: string, { revision, isDryRun }: FireOptions): Promise<FiredRequest | undefined> {
    const query = queryOf({ revision, dryRun: isDryRun ? 'true' : undefined });
    const path = `/requests/${encodeURIComponent(id)}/fire${query}`;
    const { status, body, retryAfter } = await this.#client.ask('POST', path);
    switch (status) {
      case 200:
      case 202: {
        const { outcome: kind, ...rest } = body;
        return { kind, ...rest };
      }
      case 404:
        return undefined;
      case 429:
        return { kind: 'limited', by: String(body.limit), retryAfter, revision: '' };
      case 400:
        if (body.revision !== undefined) return { kind: 'other_revision', revision: String(body.revision) };
    }
    return { kind: 'unavailable', reason: `${status} ${body.detail ?? body.title ?? ''}`.trim(), revision: '' };
  }
}
