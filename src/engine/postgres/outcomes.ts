import type { TakenNotification } from '../cluster/shared-store.ts';
import type { Life } from '../types/index.ts';
import type { Database } from './database.ts';
import { recordOf } from './rows.ts';
import type { RunReads } from './run-reads.ts';
import { restored, storable } from './text.ts';

/** Callbacks that are due, and completions that agents have posted. */
export class Outcomes {
  readonly #database: Database;
  readonly #reads: RunReads;

  constructor(database: Database, reads: RunReads) {
    this.#database = database;
    this.#reads = reads;
  }

  async takeNotifications(most: number, leaseMs: number): Promise<readonly TakenNotification[]> {
    const taken = await this.#database.query<{ id: string; sent: number }>(
      'take notifications',
      'SELECT run_id AS id, sent FROM {s}.v1_take_notifications($1, $2, $3)',
      [most, leaseMs, this.#database.now],
    );
    if (taken.length === 0) return [];
    const rows = await this.#reads.rows('notified runs', 'WHERE r.id = ANY ($1) AND x.id IS NOT NULL', [
      taken.map(({ id }) => id),
    ]);
    const attempts = new Map(taken.map(({ id, sent }) => [id, sent]));
    return rows.map((row) => ({ run: recordOf(row), attempts: attempts.get(row.id) ?? 0 }));
  }

  async notifyLater(runId: string, attempts: number, delayMs: number): Promise<void> {
    await this.#database.query(
      'notify later',
      'UPDATE {s}.notifications SET attempts = $2, due_at = {s}.v1_now($4) + $3 WHERE id = $1',
      [storable(runId), attempts, Math.ceil(delayMs), this.#database.now],
    );
  }

  async notified(runId: string): Promise<void> {
    await this.#database.query('notified', 'DELETE FROM {s}.notifications WHERE id = $1', [storable(runId)]);
  }

  async deliver(runId: string, completion: string): Promise<boolean> {
    const rows = await this.#database.query(
      'deliver',
      `INSERT INTO {s}.completions SELECT id, $2 FROM {s}.queue WHERE id = $1 FOR KEY SHARE
         ON CONFLICT (run_id) DO UPDATE SET completion = {s}.completions.completion RETURNING 1`,
      [storable(runId), completion],
    );
    return rows.length > 0;
  }

  async delivered(life: Life): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#database.query<{ id: string; completion: string }>(
      'delivered',
      `SELECT c.run_id AS id, c.completion FROM {s}.completions c JOIN {s}.queue q ON q.id = c.run_id
         WHERE q.owner = $1 AND q.phase = 'running'`,
      [life],
    );
    return new Map(rows.map(({ id, completion }) => [restored(id), completion]));
  }
}
