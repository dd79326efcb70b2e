import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { End, PendingNotification, Retry, Start, StoredBurst } from '../execution/store.ts';
import { chargeAll, consumptionOf, settleAll } from '../limits/ledger.ts';
import type { Claim, LimitCharge, LimitCounter, NewRun, Once, RunPolicy, RunQuery } from '../types/index.ts';
import { ClaimTable } from './claim-table.ts';
import { Interruptions } from './interruptions.ts';
import { LimitTable } from './limit-table.ts';
import { type RunRow, shortColumns, usageColumns, usageValues } from './run-rows.ts';
import { SessionTable } from './session-table.ts';
import { Statements } from './statements.ts';
import { tidyLimit } from './tidying.ts';
import { UseTable } from './use-table.ts';

/** A run as it is inserted: its input as JSON, masked, and its origin as JSON. */
export interface SubmittedRun
  extends Omit<NewRun, 'input' | 'origin' | 'policy'>,
    Pick<RunPolicy, 'keep' | 'sessionTtlMs' | 'notify'> {
  readonly input: string;
  readonly origin: string | undefined;
  readonly isMasked: boolean;
  readonly startedAt: number | undefined;
  readonly burst: StoredBurst | undefined;
}

/** A run that takes the place of one that waits. */
export interface JoiningRun extends Omit<SubmittedRun, 'startedAt' | 'burst'> {
  readonly replaces: string;
  readonly startsAt: number;
}

/** Without a reason against it, the run was stored; `memory` is that of its session. */
interface StoredSubmit {
  readonly repeats?: string;
  readonly duplicateOf?: string;
  readonly isUsedUp?: boolean;
  readonly limited?: { readonly limit: string; readonly retryAt: number };
  readonly shadowed?: readonly string[];
  readonly memory?: string;
}

/** What an attempt is started with, as JSON. */
interface StoredAttempt {
  readonly input: string;
  readonly origin?: string;
  readonly memory?: string;
  readonly checkpoint?: string;
}

/** An end with its output as JSON. */
export type StoredEnd = Omit<End, 'output'> & { readonly output: string | undefined };

/** A run and its notification, if one is left to send. */
export interface ProgressRow {
  readonly has_checkpoint: number;
  readonly notify: number;
  readonly finished_at: number | null;
  readonly attempts: number | null;
  readonly due_at: number | null;
}

/** The journal's operations on runs, their claims, sessions and notifications. Each is part of the caller's transaction. */
export class RunTables {
  readonly #sql: Statements;
  readonly #claims: ClaimTable;
  readonly #uses: UseTable;
  readonly #limits: LimitTable;
  readonly #sessions: SessionTable;
  readonly #interruptions: Interruptions;
  readonly #retention: { readonly age: number; readonly count: number };
  /** How many runs are final; undefined: not counted yet. */
  #finished: number | undefined;

  constructor(database: DatabaseSync, retention: { readonly age: number; readonly count: number }) {
    this.#sql = new Statements(database);
    this.#claims = new ClaimTable(this.#sql);
    this.#uses = new UseTable(this.#sql);
    this.#limits = new LimitTable(this.#sql);
    this.#sessions = new SessionTable(this.#sql);
    this.#interruptions = new Interruptions(this.#sql);
    this.#retention = retention;
  }

  /** After a rollback, the counts of the transaction are wrong. */
  forgetCounts(): void {
    this.#finished = undefined;
    this.#limits.forgetCounts();
  }

  submit(run: SubmittedRun, claim: Claim | undefined, limits: readonly LimitCharge[], now: number): StoredSubmit {
    const { startedAt, uses, burst, once } = run;
    const first = once && this.#claims.holder(once, now);
    if (first !== undefined) return { repeats: first };
    const holder = claim && this.#claims.holder(claim, now);
    if (holder !== undefined) return { duplicateOf: holder };
    if (uses !== undefined && !this.#uses.hasLeft(uses)) return { isUsedUp: true };
    const charging = chargeAll(this.#limits, limits, now);
    if (charging.kind === 'limited') return { limited: { limit: charging.limit, retryAt: charging.retryAt } };
    const { reservations, shadowed } = charging;
    if (uses !== undefined) this.#uses.count(uses);
    if (claim !== undefined) this.#claims.hold(claim, run.id, run.acceptedAt);
    if (once !== undefined) this.#claims.holdForever(once, run.id);
    this.#sql.run(
      `INSERT INTO runs (id, project, trigger_key, revision, principal, session_id, conversation, replay_of, state,
         attempt, accepted_at, started_at, keep, is_masked, session_ttl, notify, claim_scope, claim_fingerprint, keep_claim, input,
         origin, secret, request_id, concurrency_value, starts_at, reservations, burst_key, burst_starts_at, burst_ends_at,
         trace)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        ...[run.id, run.project, run.trigger, run.revision, run.caller, run.sessionId ?? null],
        ...[run.conversation ?? null, run.replayOf ?? null],
        ...(startedAt === undefined ? ['queued', 0] : ['running', 1]),
        ...[run.acceptedAt, startedAt ?? null, run.keep, Number(run.isMasked), run.sessionTtlMs, Number(run.notify)],
        ...[claim?.scope ?? null, claim?.fingerprint ?? null, Number(claim?.keepOnFailure ?? false), run.input],
        ...[
          run.origin ?? null,
          run.secret ?? null,
          run.requestId ?? null,
          run.concurrencyValue ?? null,
          run.startsAt ?? null,
        ],
        reservations.length === 0 ? null : JSON.stringify(reservations),
        ...[burst?.key ?? null, burst?.startsAt ?? null, burst?.endsAt ?? null],
        traceValue(run),
      ],
    );
    const memory = run.conversation === undefined ? undefined : this.#sessions.memory(run.conversation, now);
    return { ...(memory !== undefined && { memory }), ...(shadowed.length > 0 && { shadowed }) };
  }

  replace(
    run: JoiningRun,
    claim: Claim | undefined,
    now: number,
  ): { readonly isWaiting: boolean } & Pick<StoredSubmit, 'repeats' | 'duplicateOf'> {
    const { replaces: id, once } = run;
    const row = this.#sql.get(
      `SELECT claim_scope, claim_fingerprint FROM runs
         WHERE id = ? AND state = 'queued' AND attempt = 0 AND burst_key IS NOT NULL`,
      [id],
    );
    if (row === undefined) return { isWaiting: false };
    const first = once && this.#claims.holder(once, now);
    if (first !== undefined) return { isWaiting: true, repeats: first };
    const holder = claim && this.#claims.holder(claim, now);
    if (holder !== undefined) return { isWaiting: true, duplicateOf: holder };
    if (row.claim_scope !== null) this.#claims.release(String(row.claim_scope), String(row.claim_fingerprint), id);
    if (claim !== undefined) this.#claims.hold(claim, id, run.acceptedAt);
    if (once !== undefined) this.#claims.holdForever(once, id);
    this.#sql.run(
      `UPDATE runs SET revision = ?, secret = ?, request_id = ?, trace = ?, replay_of = ?, keep = ?, is_masked = ?,
         session_ttl = ?, notify = ?, claim_scope = ?, claim_fingerprint = ?, keep_claim = ?, input = ?, origin = ?,
         burst_starts_at = ? WHERE id = ?`,
      [
        ...[run.revision, run.secret ?? null, run.requestId ?? null, traceValue(run), run.replayOf ?? null],
        ...[run.keep, Number(run.isMasked), run.sessionTtlMs],
        ...[Number(run.notify), claim?.scope ?? null, claim?.fingerprint ?? null],
        ...[Number(claim?.keepOnFailure ?? false), run.input, run.origin ?? null, run.startsAt, id],
      ],
    );
    return { isWaiting: true };
  }

  holder(claim: Once, now: number): string | undefined {
    return this.#claims.holder(claim, now);
  }

  start({ id, attempt, startedAt }: Start): StoredAttempt {
    const row = this.#sql.get(
      `UPDATE runs SET state = 'running', attempt = ?, started_at = ?, retry_at = NULL WHERE id = ? AND finished_at IS NULL
       RETURNING conversation, input, origin, checkpoint`,
      [attempt, startedAt, id],
    );
    if (typeof row?.input !== 'string') throw new Error('there is no such run to start');
    const { conversation, input, origin, checkpoint } = row;
    const memory = typeof conversation === 'string' ? this.#sessions.memory(conversation, startedAt) : undefined;
    return {
      input,
      ...(typeof origin === 'string' && { origin }),
      ...(memory !== undefined && { memory }),
      ...(typeof checkpoint === 'string' && { checkpoint }),
    };
  }

  end({ id, state, finishedAt, output, failure, failureDetail, memory, usage, cost }: StoredEnd, now: number): void {
    const row = this.#sql.get(
      `UPDATE runs SET state = ?, finished_at = ?, retry_at = NULL, failure = ?, failure_detail = ?, checkpoint = NULL,
         ${usageColumns},
         output = CASE WHEN keep = 'full' OR notify THEN ? END,
         input = CASE WHEN keep = 'full' OR notify THEN input END,
         origin = CASE WHEN keep = 'full' OR notify THEN origin END,
         concurrency_value = CASE WHEN keep = 'full' THEN concurrency_value END
       WHERE id = ? AND finished_at IS NULL
       RETURNING attempt, keep, notify, claim_scope, claim_fingerprint, keep_claim, reservations`,
      [
        ...[state, finishedAt, failure === undefined ? null : JSON.stringify(failure), failureDetail ?? null],
        ...[...usageValues({ usage, cost }), output ?? null, id],
      ],
    );
    if (row === undefined) return;
    if (this.#finished !== undefined) this.#finished += 1;
    this.#sessions.touch(id, memory, finishedAt);
    const isReleased = (state === 'failed' || state === 'cancelled') && row.keep_claim === 0;
    if (row.claim_scope !== null && isReleased) {
      this.#claims.release(String(row.claim_scope), String(row.claim_fingerprint), id);
    }
    if (typeof row.reservations === 'string') {
      const consumed = consumptionOf({ state, attempt: Number(row.attempt), usage, cost });
      settleAll(this.#limits, JSON.parse(row.reservations), consumed, now);
    }
    if (row.notify === 1) this.#sql.run('INSERT OR REPLACE INTO notifications VALUES (?, 0, ?)', [id, finishedAt]);
    else if (row.keep === 'none') this.#forget(id);
  }

  retry({ id, failed, retryAt, memory, usage, cost }: Retry, now: number): void {
    const row = this.#sql.get('SELECT failed_attempts FROM runs WHERE id = ? AND finished_at IS NULL', [id]);
    if (row === undefined) return;
    const before = typeof row.failed_attempts === 'string' ? JSON.parse(row.failed_attempts) : [];
    this.#sql.run(
      `UPDATE runs SET state = 'queued', retry_at = ?, failed_attempts = ?, checkpoint = NULL, interruptions = 0,
         ${usageColumns} WHERE id = ?`,
      [retryAt, JSON.stringify([...before, failed]), ...usageValues({ usage, cost }), id],
    );
    this.#sessions.touch(id, memory, now);
  }

  save(id: string, checkpoint: string): void {
    this.#sql.run('UPDATE runs SET checkpoint = ? WHERE id = ? AND finished_at IS NULL', [checkpoint, id]);
  }

  remember(id: string, memory: string, now: number): void {
    this.#sessions.touch(id, memory, now);
  }

  limitCounters(limit: string, most: number): readonly LimitCounter[] {
    return this.#limits.list(limit, most);
  }

  resetLimit(limit: string, value: string | undefined): number {
    return this.#limits.reset(limit, value);
  }

  get(id: string): RunRow | undefined {
    return this.#sql.get('SELECT * FROM runs WHERE id = ?', [id]) as RunRow | undefined;
  }

  progress(id: string): ProgressRow | undefined {
    const row = this.#sql.get(
      `SELECT checkpoint IS NOT NULL AS has_checkpoint, notify, finished_at, attempts, due_at
         FROM runs LEFT JOIN notifications USING (id) WHERE id = ?`,
      [id],
    );
    return row as ProgressRow | undefined;
  }

  /** A covering index finds the page; only its rows are read. */
  list(query: RunQuery): readonly RunRow[] {
    const { project, trigger, state, requestId, since, after, limit, isBrief = false } = query;
    const conditions: [string, ...SQLInputValue[]][] = [];
    if (trigger !== undefined) conditions.push(['trigger_key = ?', trigger]);
    if (project !== undefined) conditions.push(['project = ?', project]);
    if (state === 'suspect') conditions.push(['interruptions > 0 AND finished_at IS NULL']);
    else if (state !== undefined) conditions.push(['state = ?', state]);
    if (requestId !== undefined) conditions.push(['request_id = ?', requestId]);
    if (since !== undefined) conditions.push(['accepted_at >= ?', since]);
    if (after !== undefined) conditions.push(['(accepted_at, id) < (?, ?)', after.acceptedAt, after.id]);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([text]) => text).join(' AND ')}`;
    const found = `SELECT rowid FROM runs INDEXED BY ${indexFor(query)} ${where} ORDER BY accepted_at DESC, id DESC LIMIT ?`;
    return this.#sql
      .prepare(
        `SELECT ${isBrief ? shortColumns : '*'} FROM runs WHERE rowid IN (${found}) ORDER BY accepted_at DESC, id DESC`,
      )
      .all(...conditions.flatMap(([, ...values]) => values), Math.max(0, limit)) as unknown as readonly RunRow[];
  }

  /** Queues what an earlier process left. Returns all runs that are not final, without their inputs. */
  resume(now: number): readonly RunRow[] {
    this.#interruptions.resume(now);
    return this.#sql
      .prepare(`SELECT ${shortColumns} FROM runs INDEXED BY runs_by_time WHERE state = 'queued' ORDER BY rowid`)
      .all() as unknown as readonly RunRow[];
  }

  stopping(): void {
    this.#interruptions.stopping();
  }

  trust(id: string): void {
    this.#interruptions.trust(id);
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
    this.#sql.run("UPDATE runs SET input = NULL, origin = NULL, output = NULL WHERE id = ? AND keep <> 'full'", [id]);
    if (this.#sql.get("SELECT id FROM runs WHERE id = ? AND keep = 'none'", [id]) !== undefined) this.#forget(id);
  }

  /** Removes some of what has expired. True if there may be more. */
  tidy(now: number): boolean {
    const claims = this.#claims.tidy(now, tidyLimit);
    const uses = this.#uses.tidy(now, tidyLimit);
    const limits = this.#limits.tidy(now, tidyLimit);
    const sessions = this.#sessions.tidy(now, tidyLimit);
    const runs = this.#tidyRuns(now);
    return Math.max(claims, uses, limits, sessions, runs) >= tidyLimit;
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
}

function traceValue({ trace }: Pick<NewRun, 'trace'>): string | null {
  return trace === undefined ? null : JSON.stringify(trace);
}

/** The index that leads to the fewest rows. */
function indexFor({ requestId, state, trigger }: RunQuery): string {
  if (requestId !== undefined) return 'runs_by_request';
  if (state === 'suspect') return 'runs_suspect';
  return trigger === undefined ? 'runs_by_time' : 'runs_by_trigger';
}
