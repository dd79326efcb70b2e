import { died, stopped } from '../execution/failures.ts';
import { suspectPauseMs } from '../execution/suspect-pause.ts';
import type { FailedAttempt } from '../types/index.ts';
import type { Row, Statements } from './statements.ts';

/**
 * Which runs were being executed when their process died. A run whose state is `running` in the journal of a process that is
 * gone was interrupted by its death, unless the process had noted its stop before. Every method is part of the caller's
 * transaction.
 */
export class Interruptions {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** This process stops on purpose. */
  stopping(): void {
    this.#sql.run("INSERT OR REPLACE INTO meta VALUES ('stopped', '')", []);
  }

  /** Queues again what an earlier process was executing, and counts the interruptions unless it has stopped. */
  resume(now: number): void {
    const hasStopped = this.#sql.run("DELETE FROM meta WHERE name = 'stopped'", []) > 0;
    for (const row of this.#sql.all(
      `SELECT id, attempt, accepted_at, started_at, failed_attempts FROM runs INDEXED BY runs_by_time WHERE state = 'running'`,
      [],
    )) {
      this.#sql.run(
        "UPDATE runs SET state = 'queued', failed_attempts = ?, interruptions = interruptions + ? WHERE id = ?",
        [withInterruption(row, now, hasStopped), hasStopped ? 0 : 1, row.id ?? null],
      );
    }
    // From now on, whichever death interrupted them.
    for (const { id = null, interruptions } of this.#sql.all(`SELECT id, interruptions ${suspects}`, [])) {
      this.#sql.run('UPDATE runs SET retry_at = ? WHERE id = ?', [now + suspectPauseMs(Number(interruptions)), id]);
    }
  }

  /** Sets the interruptions of a run back. */
  trust(id: string): void {
    this.#sql.run('UPDATE runs SET interruptions = 0 WHERE id = ?', [id]);
  }
}

const suspects = 'FROM runs INDEXED BY runs_suspect WHERE interruptions > 0 AND finished_at IS NULL';

/** The failed attempts of a run as JSON, with the one that ended with its process. */
function withInterruption(row: Row, endedAt: number, hasStopped: boolean): string {
  const before: FailedAttempt[] = typeof row.failed_attempts === 'string' ? JSON.parse(row.failed_attempts) : [];
  const message = hasStopped ? stopped.message : died;
  const startedAt = Number(row.started_at ?? row.accepted_at);
  return JSON.stringify([...before, { attempt: Number(row.attempt), startedAt, endedAt, message }]);
}
