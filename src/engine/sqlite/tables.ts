import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { PendingNotification, Retry, Start } from '../execution/store.ts';
import type { Claim, RunQuery } from '../types/index.ts';
import type { Operation, RunRow, SubmittedRun } from './protocol.ts';
import { RecordingTables } from './recording-tables.ts';
import { Statements } from './statements.ts';

type Ended = Extract<Operation, { kind: 'end' }>['end'];

/** How much one `tidy` forgets of each sort: little enough that nobody waits for it. */
export const tidyLimit = 200;

/**
 * Of a claim whether its run is final, or no longer kept. Looked up where it matters, at the end of the window: to note
 * it in the claim, which is at a random place of its table, would cost each run a page.
 */
const isHolderFinal = 'NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = claims.run_id AND runs.finished_at IS NULL)';

/** What the journal does to its tables. Each method is part of a transaction of the caller's. */
export class Tables {
  readonly recordings: RecordingTables;
  readonly #sql: Statements;
  readonly #retention: { readonly age: number; readonly count: number };
  /** How many runs are final; undefined: to be counted. */
  #finished: number | undefined;

  constructor(database: DatabaseSync, retention: { readonly age: number; readonly count: number }) {
    this.recordings = new RecordingTables(database);
    this.#sql = new Statements(database);
    this.#retention = retention;
  }

  /** After a rollback, what was counted in the transaction is wrong. */
  forgetCounts(): void {
    this.#finished = undefined;
    this.recordings.forgetCounts();
  }

  submit(run: SubmittedRun, claim: Claim | undefined, now: number): { duplicateOf?: string; memory?: string } {
    if (claim !== undefined) {
      const holder = this.#holder(claim, now);
      if (holder !== undefined) return { duplicateOf: holder };
      const until = claim.windowMs === undefined ? null : run.acceptedAt + claim.windowMs;
      this.#sql.run('INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)', [
        ...[claim.scope, claim.fingerprint, run.id, until],
      ]);
    }
    const { startedAt } = run;
    this.#sql.run(
      `INSERT INTO runs (id, project, trigger_key, revision, principal, session_id, replay_of, state, attempt,
         accepted_at, started_at, keep, is_masked, session_ttl, notify, claim_scope, claim_fingerprint, keep_claim, input)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        ...[run.id, run.project, run.trigger, run.revision, run.caller, run.sessionId ?? null, run.replayOf ?? null],
        ...(startedAt === undefined ? ['queued', 0] : ['running', 1]),
        ...[run.acceptedAt, startedAt ?? null, run.keep, Number(run.isMasked), run.sessionTtlMs, Number(run.notify)],
        ...[claim?.scope ?? null, claim?.fingerprint ?? null, Number(claim?.keepOnFailure ?? false), run.input],
      ],
    );
    if (run.sessionId === undefined) return {};
    const memory = this.#memory(run.project, run.trigger, run.sessionId, now);
    return memory === undefined ? {} : { memory };
  }

  start({ id, attempt, startedAt }: Start): { input: string; memory?: string; checkpoint?: string } {
    const row = this.#sql.get(
      `UPDATE runs SET state = 'running', attempt = ?, started_at = ?, retry_at = NULL WHERE id = ? AND finished_at IS NULL
       RETURNING project, trigger_key, session_id, input, checkpoint`,
      [attempt, startedAt, id],
    );
    if (typeof row?.input !== 'string') throw new Error('there is no such run to start');
    const { project = null, trigger_key: trigger = null, session_id: session = null, input, checkpoint } = row;
    const memory = session === null ? undefined : this.#memory(project, trigger, session, startedAt);
    return { input, ...(memory !== undefined && { memory }), ...(typeof checkpoint === 'string' && { checkpoint }) };
  }

  end({ id, state, finishedAt, output, failure, memory, usage }: Ended): void {
    const row = this.#sql.get(
      `UPDATE runs SET state = ?, finished_at = ?, retry_at = NULL, failure = ?, checkpoint = NULL,
         input_tokens = ?, output_tokens = ?,
         output = CASE WHEN keep = 'full' OR notify THEN ? END,
         input = CASE WHEN keep = 'full' OR notify THEN input END
       WHERE id = ? AND finished_at IS NULL
       RETURNING keep, notify, claim_scope, claim_fingerprint, keep_claim`,
      [
        ...[state, finishedAt, failure === undefined ? null : JSON.stringify(failure)],
        ...[usage?.inputTokens ?? null, usage?.outputTokens ?? null, output ?? null, id],
      ],
    );
    if (row === undefined) return;
    if (this.#finished !== undefined) this.#finished += 1;
    this.#touchSession(id, memory, finishedAt);
    const isReleased = (state === 'failed' || state === 'cancelled') && row.keep_claim === 0;
    if (row.claim_scope !== null && isReleased) {
      const holder: SQLInputValue[] = [String(row.claim_scope), String(row.claim_fingerprint), id];
      this.#sql.run('DELETE FROM claims WHERE scope = ? AND fingerprint = ? AND run_id = ?', holder);
    }
    if (row.notify === 1) this.#sql.run('INSERT OR REPLACE INTO notifications VALUES (?, 0, ?)', [id, finishedAt]);
    else if (row.keep === 'none') this.#forget(id);
  }

  retry({ id, failed, retryAt, memory, usage }: Retry, now: number): void {
    const row = this.#sql.get('SELECT failed_attempts FROM runs WHERE id = ? AND finished_at IS NULL', [id]);
    if (row === undefined) return;
    const before = typeof row.failed_attempts === 'string' ? JSON.parse(row.failed_attempts) : [];
    this.#sql.run(
      `UPDATE runs SET state = 'queued', retry_at = ?, failed_attempts = ?, checkpoint = NULL, input_tokens = ?,
         output_tokens = ? WHERE id = ?`,
      [retryAt, JSON.stringify([...before, failed]), usage?.inputTokens ?? null, usage?.outputTokens ?? null, id],
    );
    this.#touchSession(id, memory, now);
  }

  save(id: string, checkpoint: string): void {
    this.#sql.run('UPDATE runs SET checkpoint = ? WHERE id = ? AND finished_at IS NULL', [checkpoint, id]);
  }

  remember(id: string, memory: string, now: number): void {
    this.#touchSession(id, memory, now);
  }

  get(id: string): RunRow | undefined {
    return this.#sql.get('SELECT * FROM runs WHERE id = ?', [id]) as RunRow | undefined;
  }

  /** Found in an index alone; then the rows of the page are read. */
  list({ project, trigger, state, since, after, limit }: RunQuery): readonly RunRow[] {
    const conditions: [string, ...SQLInputValue[]][] = [];
    if (trigger !== undefined) conditions.push(['trigger_key = ?', trigger]);
    if (project !== undefined) conditions.push(['project = ?', project]);
    if (state !== undefined) conditions.push(['state = ?', state]);
    if (since !== undefined) conditions.push(['accepted_at >= ?', since]);
    if (after !== undefined) conditions.push(['(accepted_at, id) < (?, ?)', after.acceptedAt, after.id]);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([text]) => text).join(' AND ')}`;
    const index = trigger === undefined ? 'runs_by_time' : 'runs_by_trigger';
    const found = `SELECT rowid FROM runs INDEXED BY ${index} ${where} ORDER BY accepted_at DESC, id DESC LIMIT ?`;
    return this.#sql
      .prepare(`SELECT * FROM runs WHERE rowid IN (${found}) ORDER BY accepted_at DESC, id DESC`)
      .all(...conditions.flatMap(([, ...values]) => values), Math.max(0, limit)) as unknown as readonly RunRow[];
  }

  pending(): readonly RunRow[] {
    return this.#sql
      .prepare("SELECT * FROM runs INDEXED BY runs_by_time WHERE state IN ('queued', 'running') ORDER BY rowid")
      .all() as unknown as readonly RunRow[];
  }

  pendingNotifications(): readonly PendingNotification[] {
    const rows = this.#sql.prepare('SELECT id, attempts, due_at FROM notifications ORDER BY due_at').all();
    return rows.map((row) => ({ id: String(row.id), attempts: Number(row.attempts), dueAt: Number(row.due_at) }));
  }

  notifyLater({ id, attempts, dueAt }: PendingNotification): void {
    this.#sql.run('UPDATE notifications SET attempts = ?, due_at = ? WHERE id = ?', [attempts, dueAt, id]);
  }

  notified(id: string): void {
    this.#sql.run('DELETE FROM notifications WHERE id = ?', [id]);
    this.#sql.run("UPDATE runs SET input = NULL, output = NULL WHERE id = ? AND keep <> 'full'", [id]);
    if (this.#sql.get("SELECT id FROM runs WHERE id = ? AND keep = 'none'", [id]) !== undefined) this.#forget(id);
  }

  /** Forgets some of what is over, and says whether there is more. */
  tidy(now: number): boolean {
    const claims = this.#sql.run(
      `DELETE FROM claims WHERE (scope, fingerprint) IN (SELECT scope, fingerprint FROM claims
         WHERE until IS NOT NULL AND until <= ? AND ${isHolderFinal} LIMIT ${tidyLimit})`,
      [now],
    );
    const sessions = this.#sql.run(
      `DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE until <= ? LIMIT ${tidyLimit})`,
      [now],
    );
    const runs = this.#tidyRuns(now);
    const recordings = this.recordings.tidy(now, tidyLimit);
    return Math.max(claims, sessions, runs, recordings) >= tidyLimit;
  }

  #tidyRuns(now: number): number {
    this.#finished ??= Number(
      this.#sql.get('SELECT count(*) AS count FROM runs WHERE finished_at IS NOT NULL', [])?.count ?? 0,
    );
    const excess = Math.min(Math.max(this.#finished - this.#retention.count, 0), tidyLimit);
    const oldest = `SELECT id, finished_at FROM runs WHERE finished_at IS NOT NULL
      AND id NOT IN (SELECT id FROM notifications) ORDER BY finished_at LIMIT ${tidyLimit}`;
    const due = this.#sql
      .prepare(oldest)
      .all()
      .filter((row, index) => index < excess || Number(row.finished_at) + this.#retention.age <= now);
    for (const { id } of due) this.#forget(String(id));
    return due.length;
  }

  #forget(id: string): void {
    this.#sql.run('DELETE FROM runs WHERE id = ?', [id]);
    if (this.#finished !== undefined) this.#finished -= 1;
  }

  /** The run that holds a claim; the end of its window ends it only once its run is final. */
  #holder({ scope, fingerprint }: Claim, now: number): string | undefined {
    const row = this.#sql.get(
      `SELECT run_id FROM claims WHERE scope = ? AND fingerprint = ?
         AND (until IS NULL OR until > ? OR NOT ${isHolderFinal})`,
      [scope, fingerprint, now],
    );
    return row === undefined ? undefined : String(row.run_id);
  }

  #memory(project: SQLInputValue, trigger: SQLInputValue, session: SQLInputValue, now: number): string | undefined {
    const row = this.#sql.get(
      'SELECT memory FROM sessions WHERE project = ? AND trigger_key = ? AND session_id = ? AND until > ?',
      [project, trigger, session, now],
    );
    return row === undefined ? undefined : String(row.memory);
  }

  /** Counts as a use of a run's session; with `memory` that is what it remembers from now on. */
  #touchSession(id: string, memory: string | undefined, now: number): void {
    if (memory === undefined) {
      this.#sql.run(
        `UPDATE sessions SET until = ? + runs.session_ttl FROM runs WHERE runs.id = ? AND sessions.until > ?
           AND sessions.project = runs.project AND sessions.trigger_key = runs.trigger_key
           AND sessions.session_id = runs.session_id`,
        [now, id, now],
      );
      return;
    }
    this.#sql.run(
      `INSERT INTO sessions SELECT project, trigger_key, session_id, ?, ? + session_ttl FROM runs
         WHERE id = ? AND session_id IS NOT NULL
       ON CONFLICT DO UPDATE SET memory = excluded.memory, until = excluded.until`,
      [memory, now, id],
    );
  }
}
