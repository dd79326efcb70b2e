import type { DatabaseSync } from 'node:sqlite';
import { isFinal, type RunState } from '../../../contract/index.ts';
import { consumptionOf, settleAll } from '../../limits/ledger.ts';
import type { Recovery } from '../../types/recovery.ts';
import { LimitTable } from '../limit-table.ts';
import { costIn, usageIn } from '../run-rows.ts';
import { defineConversationId, sessionAdoption } from '../session-adoption.ts';
import { Statements } from '../statements.ts';
import type { Value } from './record.ts';
import { type NewRow, newRow, type TableName, tables } from './rows.ts';

const lostInput = { message: 'the input of this run was lost with a damaged journal', retryable: false };

/** The journal that receives what was read. Of several versions of a row, the first is kept. */
export class NewJournal {
  readonly #database: DatabaseSync;
  readonly #sql: Statements;
  readonly #now: number;
  readonly #counts: Record<TableName, number> = {
    ...{ runs: 0, claims: 0, conversations: 0, sessions: 0, notifications: 0, recordings: 0, uses: 0, limits: 0 },
    audit: 0,
  };
  readonly #failedRuns: string[] = [];
  #lostRows = 0;

  constructor(database: DatabaseSync, now: number) {
    this.#database = database;
    this.#sql = new Statements(database);
    this.#now = now;
  }

  add(name: TableName, values: readonly Value[]): void {
    const row = newRow(name, values);
    const hasFailed = name === 'runs' && this.#repairRun(row);
    if (name === 'recordings' && !isJson(row.details)) row.details = null;
    const { columns } = tables[name];
    const places = columns.map(() => '?').join(', ');
    try {
      const sql = `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${places}) ON CONFLICT DO NOTHING`;
      const added = this.#sql.run(
        sql,
        columns.map((column) => row[column] ?? null),
      );
      this.#counts[name] += added;
      if (hasFailed && added > 0) this.#failedRuns.push(String(row.id));
    } catch {
      // A value that a damaged page has changed is not of its column's type.
      this.#lostRows += 1;
    }
  }

  hasRun(id: string): boolean {
    return this.#sql.get('SELECT id FROM runs WHERE id = ?', [id]) !== undefined;
  }

  /** Makes the journal consistent, and returns what is in it. */
  finish(): Omit<Recovery, 'from' | 'to' | 'damagedPages' | 'lostRuns'> {
    // A run that has not ended keeps its claim until then, whatever its window was.
    const remadeClaims = this.#sql.run(
      `INSERT INTO claims SELECT claim_scope, claim_fingerprint, id, accepted_at FROM runs
         WHERE finished_at IS NULL AND claim_scope IS NOT NULL AND claim_fingerprint IS NOT NULL
       ON CONFLICT DO NOTHING`,
      [],
    );
    // Those that failed for their input release theirs.
    for (const id of this.#failedRuns) {
      const released = 'SELECT claim_scope, claim_fingerprint FROM runs WHERE id = ? AND keep_claim = 0';
      this.#sql.run(`DELETE FROM claims WHERE run_id = ? AND (scope, fingerprint) IN (${released})`, [id, id]);
    }
    this.#settleFailed();
    // The gateway that found the damage has stopped: what it was executing is not suspect.
    this.#sql.run("INSERT OR REPLACE INTO meta VALUES ('stopped', '')", []);
    this.#adoptSessions();
    const { runs, notifications, recordings, uses, limits, audit: auditEntries } = this.#counts;
    const counts = { runs, notifications, recordings, auditEntries, uses, limits, claims: this.#count('claims') };
    const rest = { remadeClaims, lostRows: this.#lostRows, failedRuns: this.#failedRuns };
    return { ...counts, conversations: this.#count('conversations'), ...rest };
  }

  /** What runs have reserved that failed here is settled by what their attempts had reported. */
  #settleFailed(): void {
    const limits = new LimitTable(this.#sql);
    for (const id of this.#failedRuns) {
      const row = this.#sql.get(
        'SELECT reservations, attempt, input_tokens, output_tokens, cost, currency FROM runs WHERE id = ?',
        [id],
      );
      if (typeof row?.reservations !== 'string') continue;
      settleAll(
        limits,
        JSON.parse(row.reservations),
        consumptionOf({ state: 'failed', attempt: Number(row.attempt), usage: usageIn(row), cost: costIn(row) }),
        this.#now,
      );
    }
  }

  /** As the migration of a journal of that version does: nothing of the damaged one is of a later version. */
  #adoptSessions(): void {
    const later = this.#sql.get(
      'SELECT id FROM conversations UNION SELECT id FROM runs WHERE conversation IS NOT NULL',
      [],
    );
    if (later !== undefined) return;
    defineConversationId(this.#database);
    this.#database.exec(sessionAdoption);
  }

  #count(table: 'claims' | 'conversations'): number {
    return Number(this.#sql.get(`SELECT count(*) AS count FROM ${table}`, [])?.count);
  }

  /** A run whose input is lost cannot be executed. Returns whether it has failed for that. */
  #repairRun(row: NewRow): boolean {
    for (const column of ['failed_attempts', 'failure', 'output', 'checkpoint', 'input', 'origin', 'reservations']) {
      if (!isJson(row[column])) row[column] = null;
    }
    if (isFinal(row.state as RunState) || row.input !== null) return false;
    row.state = 'failed';
    row.finished_at = this.#now;
    row.failure = JSON.stringify(lostInput);
    return true;
  }
}

function isJson(value: unknown): boolean {
  if (typeof value !== 'string') return value === null;
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
