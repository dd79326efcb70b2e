import { notificationOf } from '../execution/notification-progress.ts';
import { keptRecord } from '../execution/records.ts';
import { claimKey, type Life, type Once, type RunProgress, type RunQuery, type RunRecord } from '../types/index.ts';
import type { Database } from './database.ts';
import { listQuery } from './list-query.ts';
import { briefColumns, type RunRow, recordOf, runColumns } from './rows.ts';
import { restored, storable } from './text.ts';

interface ProgressRow {
  readonly hasCheckpoint: boolean;
  readonly isWanted: boolean;
  readonly isFinal: boolean;
  readonly attempts: number | null;
  readonly dueAt: number | null;
}

/** Reads runs. */
export class RunReads {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async get(runId: string): Promise<RunRecord | undefined> {
    const row = (await this.rows('get', 'WHERE r.id = $1', [storable(runId)]))[0];
    return row && kept(row);
  }

  async finals(runIds: readonly string[]): Promise<ReadonlyMap<string, RunRecord | undefined>> {
    // One statement, so that a run which ends meanwhile is in the queue or has a result.
    const rows = await this.#database.query<{ wanted: string; open: boolean } & (RunRow | { readonly id: null })>(
      'finals',
      `SELECT w.wanted, q.id IS NOT NULL AS open, ${runColumns} FROM unnest($1::text[]) AS w(wanted)
         LEFT JOIN {s}.queue q ON q.id = w.wanted LEFT JOIN {s}.results x ON x.id = w.wanted
         LEFT JOIN {s}.runs r ON r.id = x.id`,
      [runIds.map(storable)],
    );
    const final = rows.filter(({ open }) => !open);
    return new Map(final.map((row) => [restored(row.wanted), row.id === null ? undefined : recordOf(row)]));
  }

  async ownerOf(runId: string): Promise<{ readonly owner: Life; readonly attempt: number } | undefined> {
    const [row] = await this.#database.query<{ owner: Life; attempt: number }>(
      'owner',
      "SELECT owner, attempt FROM {s}.queue WHERE id = $1 AND phase = 'running'",
      [storable(runId)],
    );
    return row;
  }

  async holder(claim: Once): Promise<string | undefined> {
    const [row] = await this.#database.query<{ holder: string }>(
      'holder',
      `SELECT c.run_id AS holder FROM {s}.claims c WHERE c.key = $1
         AND (c.until IS NULL OR c.until > {s}.v1_now($2) OR EXISTS (SELECT 1 FROM {s}.queue q WHERE q.id = c.run_id))`,
      [claimKey(claim), this.#database.now],
    );
    return row && restored(row.holder);
  }

  async progress(runId: string): Promise<RunProgress | undefined> {
    const [row] = await this.#database.query<ProgressRow>(
      'progress',
      `SELECT q.checkpoint IS NOT NULL AS "hasCheckpoint", r.notify AS "isWanted", q.id IS NULL AS "isFinal", n.attempts,
           n.due_at::float8 AS "dueAt"
         FROM {s}.runs r LEFT JOIN {s}.queue q USING (id) LEFT JOIN {s}.notifications n USING (id) WHERE r.id = $1`,
      [storable(runId)],
    );
    if (row === undefined) return undefined;
    const { hasCheckpoint, attempts, dueAt, ...notification } = row;
    const pending = attempts === null || dueAt === null ? undefined : { attempts, dueAt };
    return { hasCheckpoint, notification: notificationOf({ ...notification, pending }) };
  }

  async list(query: RunQuery): Promise<readonly RunRecord[]> {
    const { name, from, where, order, values } = listQuery(query);
    const columns = query.isBrief ? briefColumns : runColumns;
    const rows = await this.#database.connections.lists.read(() =>
      this.rows(name, `${where} ${order}`, values, { from, columns }),
    );
    return rows.map(kept).filter((record) => record !== undefined);
  }

  /** Runs that a condition selects, with what became of them. */
  async rows(
    name: string,
    rest: string,
    values: readonly unknown[],
    { from = 'all', columns = runColumns }: { readonly from?: 'all' | 'open'; readonly columns?: string } = {},
  ): Promise<readonly RunRow[]> {
    const tables =
      from === 'open'
        ? '{s}.queue q JOIN {s}.runs r USING (id) LEFT JOIN {s}.results x USING (id)'
        : '{s}.runs r LEFT JOIN {s}.queue q USING (id) LEFT JOIN {s}.results x USING (id)';
    return this.#database.query<RunRow>(name, `SELECT ${columns} FROM ${tables} ${rest}`, values);
  }
}

function kept(row: RunRow): RunRecord | undefined {
  const record = recordOf(row);
  return record.finishedAt === undefined ? record : keptRecord(record, row.keep);
}
