import { auditEntry, auditRest } from '../execution/audit-rows.ts';
import type { Audit, AuditBounds, AuditEntry, AuditQuery } from '../types/index.ts';
import type { Connections } from './connections.ts';
import { inSchema } from './opening.ts';
import { restored, storable } from './text.ts';

export const auditColumns = 'id, at::float8 AS at, actor, action, entry';

/**
 * The second part sees what was there before the first: the entry itself is counted apart. One node at a time drops, so that
 * two do not wait for each other.
 */
const put = `WITH new AS (
    INSERT INTO {s}.audit (id, at, actor, action, entry) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (id) DO UPDATE SET entry = excluded.entry)
  DELETE FROM {s}.audit WHERE id = ANY (CASE WHEN pg_try_advisory_xact_lock(hashtextextended('{s}', 7307)) THEN ARRAY(
    SELECT a.id FROM {s}.audit a WHERE a.id <> $1 AND a.at <= $6 UNION
    (SELECT a.id FROM {s}.audit a WHERE a.id <> $1 ORDER BY a.at DESC, a.id DESC OFFSET greatest($7::bigint - 1, 0))) END)`;

/** The audit trail of all nodes. */
export class PostgresAudit implements Audit {
  readonly #connections: Connections;
  readonly #schema: string;
  readonly #clock: { now(): number };

  constructor(connections: Connections, schema: string, clock: { now(): number } = Date) {
    this.#connections = connections;
    this.#schema = schema;
    this.#clock = clock;
  }

  async put(entry: AuditEntry, { count, ageMs }: AuditBounds): Promise<void> {
    const { id, at, actor, action, entry: rest } = storedEntry(entry);
    const bounds = [this.#clock.now() - ageMs, count];
    await this.#query('put audit', put, [id, at, actor, action, rest, ...bounds]);
  }

  async get(id: string): Promise<AuditEntry | undefined> {
    return (await this.#read('get audit', 'WHERE id = $1', [storable(id)]))[0];
  }

  async list({ actor, action, since, order, after, limit }: AuditQuery): Promise<readonly AuditEntry[]> {
    const values: unknown[] = [];
    const conditions = ['true'];
    const place = (value: unknown) => `$${values.push(value)}`;
    if (actor !== undefined) conditions.push(`actor = ${place(storable(actor))}`);
    if (action !== undefined) conditions.push(`action = ${place(storable(action))}`);
    if (since !== undefined) conditions.push(`at >= ${place(Math.ceil(since))}`);
    const [follows, direction] = order === 'newest' ? ['<', 'DESC'] : ['>', 'ASC'];
    if (after !== undefined) {
      conditions.push(`(audit.at, id) ${follows} (${place(after.at)}, ${place(storable(after.id))})`);
    }
    const sorted = `ORDER BY audit.at ${direction}, id ${direction} LIMIT ${place(Math.max(0, limit))}`;
    const rest = `WHERE ${conditions.join(' AND ')} ${sorted}`;
    return this.#connections.lists.read(() => this.#read(undefined, rest, values));
  }

  async #read(name: string | undefined, rest: string, values: readonly unknown[]): Promise<readonly AuditEntry[]> {
    const rows = await this.#query<AuditRow>(name, `SELECT ${auditColumns} FROM {s}.audit AS audit ${rest}`, values);
    return rows.map(auditEntryOf);
  }

  #query<Row>(name: string | undefined, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#connections.query<Row>(name, inSchema(this.#schema, text), values);
  }
}

export interface AuditRow {
  readonly id: string;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly entry: string;
}

export function storedEntry(entry: AuditEntry): AuditRow {
  const { id, at, actor, action } = entry;
  return { id: storable(id), at, actor: storable(actor), action: storable(action), entry: auditRest(entry) };
}

export function auditEntryOf({ id, at, actor, action, entry }: AuditRow): AuditEntry {
  return auditEntry({ id: restored(id), at, actor: restored(actor), action: restored(action) }, entry);
}
