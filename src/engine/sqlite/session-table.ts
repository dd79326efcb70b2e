import type { Statements } from './statements.ts';

/** What sessions remember, as JSON. Every method is part of the caller's transaction. */
export class SessionTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  memory(conversation: string, now: number): string | undefined {
    const row = this.#sql.get('SELECT memory FROM conversations WHERE id = ? AND until > ?', [conversation, now]);
    return row === undefined ? undefined : String(row.memory);
  }

  /** Counts as a use of the session of a run. With `memory` it remembers that from now on. */
  touch(runId: string, memory: string | undefined, now: number): void {
    if (memory === undefined) {
      this.#sql.run(
        `UPDATE conversations SET until = ? + runs.session_ttl FROM runs
           WHERE runs.id = ? AND conversations.id = runs.conversation AND conversations.until > ?`,
        [now, runId, now],
      );
      return;
    }
    this.#sql.run(
      `INSERT INTO conversations SELECT conversation, ?, ? + session_ttl FROM runs
         WHERE id = ? AND conversation IS NOT NULL
       ON CONFLICT DO UPDATE SET memory = excluded.memory, until = excluded.until`,
      [memory, now, runId],
    );
  }

  /** Removes expired sessions, up to `limit`. Returns how many. */
  tidy(now: number, limit: number): number {
    return Math.max(this.#tidy('conversations', now, limit), this.#tidy('sessions', now, limit));
  }

  /** `sessions` is what an earlier version kept by the caller's name alone: nothing reads it, and it expires. */
  #tidy(table: 'conversations' | 'sessions', now: number, limit: number): number {
    return this.#sql.run(
      `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE until <= ? LIMIT ${limit})`,
      [now],
    );
  }
}
