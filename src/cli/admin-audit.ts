import type { AuditFilter, ExportedAudit, ListedAudit } from '../runtime/audit/audit-operations.ts';
import type { AuditAccess } from './access.ts';
import { type AdminClient, entriesIn, queryOf } from './admin-client.ts';

/** The audit trail of a running gateway, through its admin listener. */
export class AdminAudit implements AuditAccess {
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  async list(filter: AuditFilter): Promise<ListedAudit> {
    const { status, body } = await this.#client.ask('GET', `/audit${queryOf(filter)}`);
    if (status === 400) return { ok: false, message: String(body.detail) };
    return { ok: true, entries: entriesIn(body, this.#client), next: body.next ?? undefined };
  }

  async export(filter: AuditFilter): Promise<ExportedAudit> {
    return this.#client.lines(`/audit/export${queryOf(filter)}`);
  }
}
