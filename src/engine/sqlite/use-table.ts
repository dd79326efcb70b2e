import type { LimitedUses } from '../types/index.ts';
import type { Statements } from './statements.ts';

/** How often limited credentials have been used. Every method is part of the caller's transaction. */
export class UseTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  hasLeft({ id, limit }: LimitedUses): boolean {
    return Number(this.#sql.get('SELECT used FROM uses WHERE id = ?', [id])?.used ?? 0) < limit;
  }

  count({ id, until }: LimitedUses): void {
    this.#sql.run('INSERT INTO uses VALUES (?, 1, ?) ON CONFLICT (id) DO UPDATE SET used = used + 1', [id, until]);
  }

  /** Removes counts of credentials that have ended, up to `limit`. Returns how many. */
  tidy(now: number, limit: number): number {
    return this.#sql.run(`DELETE FROM uses WHERE id IN (SELECT id FROM uses WHERE until <= ? LIMIT ${limit})`, [now]);
  }
}
