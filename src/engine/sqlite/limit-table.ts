import type { Counters } from '../limits/ledger.ts';
import type { LimitCounter, LimitState } from '../types/index.ts';
import type { Row, Statements } from './statements.ts';

/** What limits have counted. Every method is part of the caller's transaction. */
export class LimitTable implements Counters {
  readonly #sql: Statements;
  /** How many values of each limit have a counter, as far as that has been counted. */
  readonly #counts = new Map<string, number>();

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** After a rollback, the counts of the transaction are wrong. */
  forgetCounts(): void {
    this.#counts.clear();
  }

  get(limit: string, value: string): LimitState | undefined {
    const row = this.#sql.get('SELECT opened_at, used, open FROM limits WHERE limit_id = ? AND value = ?', [
      limit,
      value,
    ]);
    return row && stateOf(row);
  }

  set(limit: string, value: string, { at, used, open }: LimitState, expiresAt: number): void {
    const changes = [at, used, open, expiresAt];
    const change = 'UPDATE limits SET opened_at = ?, used = ?, open = ?, until = ? WHERE limit_id = ? AND value = ?';
    if (this.#sql.run(change, [...changes, limit, value]) > 0) return;
    this.#sql.run('INSERT INTO limits VALUES (?, ?, ?, ?, ?, ?)', [limit, value, ...changes]);
    const known = this.#counts.get(limit);
    if (known !== undefined) this.#counts.set(limit, known + 1);
  }

  count(limit: string): number {
    const known = this.#counts.get(limit);
    if (known !== undefined) return known;
    const counted = Number(this.#sql.get('SELECT count(*) AS count FROM limits WHERE limit_id = ?', [limit])?.count);
    this.#counts.set(limit, counted);
    return counted;
  }

  list(limit: string, most: number): readonly LimitCounter[] {
    const mostUsed = `SELECT value, opened_at, used, open FROM limits WHERE limit_id = ?
      ORDER BY used + open DESC, opened_at DESC, value LIMIT ?`;
    const rows = this.#sql.all(mostUsed, [limit, most]);
    return rows.map((row) => ({ limit, value: String(row.value), ...stateOf(row) }));
  }

  /** As `MemoryCounters.resetLimit`: a run that has reserved something settles it in the same counter. */
  reset(limit: string, value: string | undefined): number {
    this.#counts.delete(limit);
    const [which, values] = value === undefined ? ['', []] : [' AND value = ?', [value]];
    const kept = `UPDATE limits SET used = 0 WHERE limit_id = ?${which} AND open > 0`;
    const removed = `DELETE FROM limits WHERE limit_id = ?${which} AND open <= 0`;
    return this.#sql.run(kept, [limit, ...values]) + this.#sql.run(removed, [limit, ...values]);
  }

  /** Removes counters whose windows have ended, up to `limit`. Returns how many. */
  tidy(now: number, limit: number): number {
    const ended = `SELECT limit_id, value FROM limits WHERE until <= ? ORDER BY until LIMIT ${limit}`;
    const removed = this.#sql.run(`DELETE FROM limits WHERE (limit_id, value) IN (${ended})`, [now]);
    if (removed > 0) this.#counts.clear();
    return removed;
  }
}

function stateOf(row: Row): LimitState {
  return { at: Number(row.opened_at), used: Number(row.used), open: Number(row.open) };
}
