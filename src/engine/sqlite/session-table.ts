import type { SQLInputValue } from 'node:sqlite';
import type { Statements } from './statements.ts';

/** What sessions remember, as JSON. Every method is part of the caller's transaction. */
export class SessionTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  memory(project: SQLInputValue, trigger: SQLInputValue, session: SQLInputValue, now: number): string | undefined {
    const row = this.#sql.get(
      'SELECT memory FROM sessions WHERE project = ? AND trigger_key = ? AND session_id = ? AND until > ?',
      [project, trigger, session, now],
    );
    return row === undefined ? undefined : String(row.memory);
  }

  /** Counts as a use of the session of a run. With `memory` it remembers that from now on. */
  touch(runId: string, memory: string | undefined, now: number): void {
    if (memory === undefined) {
      this.#sql.run(
        `UPDATE sessions SET until = ? + runs.session_ttl FROM runs WHERE runs.id = ? AND sessions.until > ?
           AND sessions.project = runs.project AND sessions.trigger_key = runs.trigger_key
           AND sessions.session_id = runs.session_id`,
        [now, runId, now],
      );
      return;
    }
    this.#sql.run(
      `INSERT INTO sessions SELECT project, trigger_key, session_id, ?, ? + session_ttl FROM runs
         WHERE id = ? AND session_id IS NOT NULL
       ON CONFLICT DO UPDATE SET memory = excluded.memory, until = excluded.until`,
      [memory, now, runId],
    );
  }

  /** Removes expired sessions, up to `limit`. Returns how many. */
  tidy(now: number, limit: number): number {
    return this.#sql.run(
      `DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE until <= ? LIMIT ${limit})`,
      [now],
    );
  }
}
