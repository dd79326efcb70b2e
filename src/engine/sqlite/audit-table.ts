import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { auditEntry, auditRest } from '../execution/audit-rows.ts';
import type { AuditBounds, AuditEntry, AuditQuery } from '../types/index.ts';
import { type Row, Statements } from './statements.ts';

/** In the order of `auditValues`. */
export const auditColumns = 'id, at, actor, action, entry';

const put = `INSERT INTO audit (${auditColumns}) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET entry = excluded.entry`;
const dropOld = 'DELETE FROM audit WHERE at <= ?';
const dropExcess = `DELETE FROM audit WHERE id IN (
  SELECT id FROM audit INDEXED BY audit_by_time ORDER BY at DESC, id DESC LIMIT -1 OFFSET ?)`;

/** The journal's operations on the audit trail. Each is part of the caller's transaction. */
export class AuditTable {
  readonly #sql: Statements;

  constructor(database: DatabaseSync) {
    this.#sql = new Statements(database);
  }

  put(entry: AuditEntry, { count, ageMs }: AuditBounds, now: number): void {
    this.#sql.run(put, auditValues(entry));
    this.#sql.run(dropOld, [now - ageMs]);
    this.#sql.run(dropExcess, [count]);
  }

  get(id: string): AuditEntry | undefined {
    const row = this.#sql.get('SELECT * FROM audit WHERE id = ?', [id]);
    return row && auditEntryOf(row);
  }

  list({ actor, action, since, order, after, limit }: AuditQuery): readonly AuditEntry[] {
    const conditions: [string, ...SQLInputValue[]][] = [];
    if (actor !== undefined) conditions.push(['actor = ?', actor]);
    if (action !== undefined) conditions.push(['action = ?', action]);
    if (since !== undefined) conditions.push(['at >= ?', since]);
    const [follows, direction] = order === 'newest' ? ['<', 'DESC'] : ['>', 'ASC'];
    if (after !== undefined) conditions.push([`(at, id) ${follows} (?, ?)`, after.at, after.id]);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([text]) => text).join(' AND ')}`;
    const values = [...conditions.flatMap(([, ...given]) => given), Math.max(0, limit)];
    const sorted = `ORDER BY at ${direction}, id ${direction} LIMIT ?`;
    return this.#sql.all(`SELECT * FROM audit INDEXED BY audit_by_time ${where} ${sorted}`, values).map(auditEntryOf);
  }
}

export function auditValues(entry: AuditEntry): readonly SQLInputValue[] {
  return [entry.id, entry.at, entry.actor, entry.action, auditRest(entry)];
}

export function auditEntryOf({ id, at, actor, action, entry }: Row): AuditEntry {
  const position = { id: String(id), at: Number(at), actor: String(actor), action: String(action) };
  return auditEntry(position, String(entry));
}
