import type { AuditEntry } from '../types/index.ts';

/** The members of an entry that no query needs, as stores of tables keep them: as JSON. */
export function auditRest({ id: _id, at: _at, actor: _actor, action: _action, ...rest }: AuditEntry): string {
  return JSON.stringify(rest);
}

/** The entry of a row: JSON has no undefined. */
export function auditEntry(position: Pick<AuditEntry, 'id' | 'at' | 'actor' | 'action'>, rest: string): AuditEntry {
  const { role, target, ip, requestId, outcome, reason, before, after, endedAt }: AuditEntry = JSON.parse(rest);
  return { ...position, role, target, ip, requestId, outcome, reason, before, after, endedAt };
}
