import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CopiedKind, CopiedRow, CopySource, RowOf, RunRowCopy } from '../../copy/copied-rows.ts';
import { CopyError } from '../../copy/copy-error.ts';
import { interruptedRun } from '../../copy/interrupted-run.ts';
import { claimKey, hashedKey } from '../../types/index.ts';
import { auditEntryOf } from '../audit-table.ts';
import { keysScope } from '../claim-table.ts';
import { takeLock } from '../database.ts';
import { isDatabase } from '../database-header.ts';
import { currentVersion, journalVersion } from '../migrations.ts';
import { noteOf } from '../note-table.ts';
import { locationOf } from '../read-recordings.ts';
import { recordingOf } from '../recording-rows.ts';
import { burstOf, policyOf, type RunRow, recordOf } from '../run-rows.ts';
import type { Row } from '../statements.ts';
import { journalError } from './journal-errors.ts';
import { burstKeysPrefix } from './target.ts';

/** A row of `runs` with what a copy needs beside the record. */
interface SourceRun extends RunRow {
  readonly claim_scope: string | null;
  readonly claim_fingerprint: string | null;
  readonly keep_claim: number | null;
  readonly reservations: string | null;
  readonly sent: number | null;
  readonly due_at: number | null;
}

/** Opens a journal to copy it; does not change it. Throws an Error fit for users. */
export async function openSource(address: string): Promise<CopySource> {
  const path = resolve(address.replace(/^\/\//, ''));
  if (!existsSync(path)) throw new CopyError(`${path} does not exist`);
  if (!(await isDatabase(path))) throw new CopyError(`${path} is not a Pullcord journal`);
  const lock = takeLock(path);
  try {
    const database = new DatabaseSync(locationOf(path), { readOnly: true });
    try {
      checkVersion(database, path);
      return new JournalSource(path, database, lock);
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    lock.close();
    throw journalError(path, error);
  }
}

function checkVersion(database: DatabaseSync, path: string): void {
  const version = journalVersion(database, path);
  if (version === 0) throw new CopyError(`${path} is empty, not a Pullcord journal`);
  if (version === currentVersion) return;
  throw new CopyError(
    `${path} was written by an earlier version of Pullcord (journal version ${version}, this one has ${currentVersion}): ` +
      '"pullcord runs list" with the config of its gateway migrates it',
  );
}

class JournalSource implements CopySource {
  readonly name: string;
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #lock: DatabaseSync;
  readonly #now = Date.now();
  readonly #hasStopped: boolean;

  constructor(path: string, database: DatabaseSync, lock: DatabaseSync) {
    this.name = `sqlite:${path}`;
    this.#path = path;
    this.#database = database;
    this.#lock = lock;
    this.#hasStopped = database.prepare("SELECT 1 FROM meta WHERE name = 'stopped'").get() !== undefined;
  }

  counts(): Readonly<Record<CopiedKind, number>> {
    const count = (from: string) =>
      Number(this.#database.prepare(`SELECT count(*) AS count FROM ${from}`).get()?.count);
    return {
      ...{ sessions: count('conversations'), uses: count('uses'), limits: count('limits'), claims: count('claims') },
      recordings: count('recordings'),
      ...{ audit: count('audit'), notes: count('notes') },
      finishedRuns: count('runs WHERE finished_at IS NOT NULL'),
      pendingRuns: count('runs WHERE finished_at IS NULL'),
    };
  }

  *rows(kind: CopiedKind): Generator<CopiedRow> {
    try {
      yield* this.#rows(kind);
    } catch (error) {
      throw journalError(this.#path, error);
    }
  }

  close(): void {
    this.#database.close();
    this.#lock.close();
  }

  *#rows(kind: CopiedKind): Generator<CopiedRow> {
    switch (kind) {
      case 'sessions':
        for (const row of this.#each('SELECT * FROM conversations WHERE until > ?', this.#now)) yield sessionOf(row);
        return;
      case 'uses':
        for (const { id, used, until } of this.#each('SELECT * FROM uses WHERE until > ?', this.#now)) {
          yield { kind, bytes: 100, id: String(id), used: Number(used), until: Number(until) };
        }
        return;
      case 'limits':
        for (const row of this.#each('SELECT * FROM limits WHERE until > ? OR open > 0', this.#now)) yield limitOf(row);
        return;
      case 'claims': {
        const isHeld = 'EXISTS (SELECT 1 FROM runs WHERE runs.id = claims.run_id AND runs.finished_at IS NULL)';
        const kept = `SELECT * FROM claims WHERE until IS NULL OR until > ? OR ${isHeld}`;
        for (const row of this.#each(kept, this.#now)) yield claimOf(row);
        return;
      }
      case 'recordings':
        for (const row of this.#each('SELECT * FROM recordings WHERE until > ? ORDER BY rowid', this.#now)) {
          const request = recordingOf(row);
          yield { kind, bytes: 500 + Number(row.size), request, size: Number(row.size), until: Number(row.until) };
        }
        return;
      case 'audit':
        for (const row of this.#each('SELECT * FROM audit ORDER BY rowid')) {
          yield { kind, bytes: 200 + String(row.entry).length, entry: auditEntryOf(row) };
        }
        return;
      case 'notes':
        for (const row of this.#each('SELECT * FROM notes')) {
          const note = noteOf(row);
          yield { kind, bytes: 100 + note.text.length, note };
        }
        return;
      case 'finishedRuns':
      case 'pendingRuns': {
        const isFinal = kind === 'finishedRuns' ? 'IS NOT NULL' : 'IS NULL';
        const rows = this.#each(
          `SELECT runs.*, n.attempts AS sent, n.due_at FROM runs LEFT JOIN notifications n ON n.id = runs.id
             WHERE finished_at ${isFinal} ORDER BY runs.rowid`,
        );
        for (const row of rows) yield this.#runOf(kind, row as unknown as SourceRun);
      }
    }
  }

  #each(sql: string, ...values: readonly number[]): IterableIterator<Row> {
    return this.#database.prepare(sql).iterate(...values) as IterableIterator<Row>;
  }

  #runOf(kind: RunRowCopy['kind'], row: SourceRun): RunRowCopy {
    const record = recordOf(row);
    const { claim_scope: scope, claim_fingerprint: fingerprint, reservations, checkpoint, sent, due_at: dueAt } = row;
    const hasStopped = this.#hasStopped;
    const hasClaim = kind === 'pendingRuns' && scope !== null && fingerprint !== null;
    return {
      kind,
      bytes: 1000 + [row.input, row.output, row.origin, checkpoint].reduce((sum, text) => sum + (text?.length ?? 0), 0),
      record: record.state === 'running' ? interruptedRun(record, { hasStopped, now: this.#now }) : record,
      policy: policyOf(row),
      isMasked: row.is_masked === 1,
      claim: hasClaim ? { ...copiedClaim(scope, fingerprint), keepOnFailure: row.keep_claim === 1 } : undefined,
      reservations: kind === 'pendingRuns' && reservations !== null ? JSON.parse(reservations) : [],
      checkpoint: checkpoint ?? undefined,
      burst: copiedBurst(row),
      callback: sent === null || dueAt === null ? undefined : { attempts: sent, dueAt },
    };
  }
}

function copiedBurst(row: RunRow): RunRowCopy['burst'] {
  const burst = burstOf(row);
  if (burst === undefined) return undefined;
  const { key, ...times } = burst;
  return key.startsWith(burstKeysPrefix)
    ? { ...times, key: undefined, keyHash: key.slice(burstKeysPrefix.length) }
    : { ...times, key, keyHash: hashedKey(key) };
}

function copiedClaim(scope: string, fingerprint: string) {
  if (scope === keysScope) return { key: fingerprint, plain: undefined };
  return { key: claimKey({ scope, fingerprint }), plain: { scope, fingerprint } };
}

function claimOf({ scope, fingerprint, run_id: runId, until }: Row): RowOf<'claims'> {
  const claim = copiedClaim(String(scope), String(fingerprint));
  return { kind: 'claims', bytes: 300, claim, runId: String(runId), until: until === null ? undefined : Number(until) };
}

function sessionOf({ id, memory, until }: Row): RowOf<'sessions'> {
  const text = String(memory);
  return { kind: 'sessions', bytes: 100 + text.length, id: String(id), memory: text, until: Number(until) };
}

function limitOf({ limit_id: limit, value, opened_at: at, used, open, until }: Row): RowOf<'limits'> {
  const state = { at: Number(at), used: Number(used), open: Number(open) };
  return { kind: 'limits', bytes: 200, limit: String(limit), value: String(value), ...state, until: Number(until) };
}
