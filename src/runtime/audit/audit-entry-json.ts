import type { AuditEntry } from '../../engine/types/index.ts';
import type { AuditEntryDocument } from './audit-entry.gen.ts';

/** An entry as it is printed (schemas/source/audit-entry.schema.json); times are ISO 8601 in UTC. */
export function viewOfEntry({ at, endedAt, ...entry }: AuditEntry): AuditEntryDocument {
  const { id, actor, role, action, target, ip, requestId, outcome, reason, before, after } = entry;
  return {
    ...{ id, at: new Date(at).toISOString(), actor, role: role ?? null, action, target: target ?? null },
    ...{ ip: ip ?? null, requestId: requestId ?? null, outcome, reason: reason ?? null },
    ...{ before: before ?? null, after: after ?? null },
    endedAt: endedAt === undefined ? null : new Date(endedAt).toISOString(),
  };
}
