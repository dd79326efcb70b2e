import { resolve } from 'node:path';
import type { SQLInputValue } from 'node:sqlite';
import type { CopiedOutcome, CopiedRow, CopyTarget, RowOf, RunRowCopy } from '../../copy/copied-rows.ts';
import { auditColumns, auditValues } from '../audit-table.ts';
import { keysScope } from '../claim-table.ts';
import { type OpenDatabase, openDatabase } from '../database.ts';
import { recordingColumns, recordingValues } from '../recording-rows.ts';
import { usageValues } from '../run-rows.ts';
import { Statements } from '../statements.ts';
import { journalError } from './journal-errors.ts';

/** Begins the keys of bursts of which only the hash is known: no run joins them. Keys of runs are hexadecimal. */
export const burstKeysPrefix = 'key:';

/** Opens a journal to copy into it, or makes one. Throws an Error fit for users. */
export function openTarget(address: string): CopyTarget {
  const path = resolve(address.replace(/^\/\//, ''));
  try {
    return new JournalTarget(path, openDatabase(path, undefined));
  } catch (error) {
    throw journalError(path, error);
  }
}

class JournalTarget implements CopyTarget {
  readonly name: string;
  readonly #path: string;
  readonly #opened: OpenDatabase;
  readonly #sql: Statements;

  constructor(path: string, opened: OpenDatabase) {
    this.name = `sqlite:${path}`;
    this.#path = path;
    this.#opened = opened;
    this.#sql = new Statements(opened.database);
  }

  add(rows: readonly CopiedRow[]): readonly CopiedOutcome[] {
    const { database } = this.#opened;
    try {
      database.exec('BEGIN IMMEDIATE');
      const outcomes = rows.map((row) => this.#add(row));
      database.exec('COMMIT');
      return outcomes;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw journalError(this.#path, error);
    }
  }

  finish(): void {}

  close(): void {
    this.#opened.close();
  }

  #add(row: CopiedRow): CopiedOutcome {
    switch (row.kind) {
      case 'sessions':
        return this.#insert('conversations', 'id, memory, until', [row.id, row.memory, row.until]);
      case 'uses':
        return this.#insert('uses', 'id, used, until', [row.id, row.used, row.until]);
      case 'limits':
        return this.#insert('limits', 'limit_id, value, opened_at, used, open, until', [
          ...[row.limit, row.value, row.at, row.used, row.open, row.until],
        ]);
      case 'claims':
        return this.#addClaim(row);
      case 'recordings': {
        const values = [...recordingValues(row.request), row.size, row.until];
        return this.#insert('recordings', `${recordingColumns}, size, until`, values);
      }
      case 'audit':
        return this.#insert('audit', auditColumns, auditValues(row.entry));
      case 'notes':
        return this.#insert('notes', 'key, text, version', [row.note.key, row.note.text, row.note.version]);
      case 'finishedRuns':
      case 'pendingRuns':
        return this.#addRun(row);
    }
  }

  #addClaim({ claim, runId, until }: RowOf<'claims'>): CopiedOutcome {
    if (this.#sql.get('SELECT 1 FROM runs WHERE id = ?', [runId]) !== undefined) return 'present';
    const { scope, fingerprint } = storedClaim(claim);
    return this.#insert('claims', 'scope, fingerprint, run_id, until', [scope, fingerprint, runId, until ?? null]);
  }

  #addRun(row: RunRowCopy): CopiedOutcome {
    const values = runValues(row);
    const outcome = this.#insert('runs', Object.keys(values).join(', '), Object.values(values));
    if (outcome === 'copied') {
      const { record, callback } = row;
      if (callback === undefined) return outcome;
      this.#insert('notifications', 'id, attempts, due_at', [record.id, callback.attempts, callback.dueAt]);
      return outcome;
    }
    const there = this.#sql.get('SELECT finished_at FROM runs WHERE id = ?', [row.record.id]);
    return there?.finished_at === null ? 'unfinished' : 'present';
  }

  #insert(table: string, columns: string, values: readonly SQLInputValue[]): CopiedOutcome {
    const places = columns.replace(/\w+/g, '?');
    const sql = `INSERT INTO ${table} (${columns}) VALUES (${places}) ON CONFLICT DO NOTHING`;
    return this.#sql.run(sql, values) > 0 ? 'copied' : 'present';
  }
}

function storedClaim({ plain, key }: RowOf<'claims'>['claim']) {
  return plain ?? { scope: keysScope, fingerprint: key };
}

/** The columns of a run. */
function runValues(row: RunRowCopy): Readonly<Record<string, SQLInputValue>> {
  const { record, policy, claim, reservations, burst } = row;
  const stored = claim && storedClaim(claim);
  const [inputTokens, outputTokens, model, cachedTokens, reasoningTokens, cost, currency] = usageValues(record);
  const values: Record<string, SQLInputValue | undefined> = {
    id: record.id,
    project: record.project,
    trigger_key: record.trigger,
    revision: record.revision,
    principal: record.caller,
    secret: record.secret,
    request_id: record.requestId,
    trace: json(record.trace),
    session_id: record.sessionId,
    conversation: record.conversation,
    replay_of: record.replayOf,
    state: record.state,
    attempt: record.attempt,
    accepted_at: record.acceptedAt,
    started_at: record.startedAt,
    finished_at: record.finishedAt,
    retry_at: record.retryAt,
    starts_at: record.startsAt,
    failed_attempts: record.failedAttempts.length === 0 ? undefined : JSON.stringify(record.failedAttempts),
    interruptions: record.interruptions,
    failure: json(record.failure),
    failure_detail: record.failureDetail,
    input: json(record.input),
    origin: json(record.origin),
    output: json(record.output),
    checkpoint: row.checkpoint,
    concurrency_value: record.concurrencyValue,
    keep: policy.keep,
    session_ttl: policy.sessionTtlMs,
    notify: Number(policy.notify),
    is_masked: Number(row.isMasked),
    claim_scope: stored?.scope,
    claim_fingerprint: stored?.fingerprint,
    keep_claim: Number(claim?.keepOnFailure ?? false),
    reservations: reservations.length === 0 ? undefined : JSON.stringify(reservations),
    burst_key: burst && (burst.key ?? `${burstKeysPrefix}${burst.keyHash}`),
    burst_starts_at: burst?.startsAt,
    burst_ends_at: burst?.endsAt,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    model,
    cached_tokens: cachedTokens,
    reasoning_tokens: reasoningTokens,
    cost,
    currency,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value ?? null]));
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
