import type { DatabaseSync } from 'node:sqlite';
import { defineConversationId, sessionAdoption } from './session-adoption.ts';

/** "Pull" in ASCII: marks the file as a journal of Pullcord (https://www.sqlite.org/pragma.html#pragma_application_id). */
const applicationId = 0x50756c6c;

/**
 * Each migrates a journal from the version that is its index to the next. A released one is never changed. Columns named
 * `principal` hold the caller.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    trigger_key TEXT NOT NULL,
    revision TEXT NOT NULL,
    principal TEXT NOT NULL,
    session_id TEXT,
    replay_of TEXT,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    retry_at INTEGER,
    failed_attempts TEXT,
    failure TEXT,
    keep TEXT NOT NULL,
    is_masked INTEGER NOT NULL,
    session_ttl INTEGER NOT NULL,
    notify INTEGER NOT NULL,
    claim_scope TEXT,
    claim_fingerprint TEXT,
    keep_claim INTEGER,
    input TEXT,
    output TEXT
  ) STRICT;
  -- Each covers every condition of a list, so that only rows of the result are read.
  CREATE INDEX runs_by_time ON runs (accepted_at, id, state, project);
  CREATE INDEX runs_by_trigger ON runs (trigger_key, accepted_at, id, state, project);
  CREATE INDEX runs_finished ON runs (finished_at) WHERE finished_at IS NOT NULL;

  CREATE TABLE claims (
    scope TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    run_id TEXT NOT NULL,
    until INTEGER,
    PRIMARY KEY (scope, fingerprint)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX claims_ending ON claims (until) WHERE until IS NOT NULL;

  CREATE TABLE sessions (
    project TEXT NOT NULL,
    trigger_key TEXT NOT NULL,
    session_id TEXT NOT NULL,
    memory TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (project, trigger_key, session_id)
  ) STRICT;
  CREATE INDEX sessions_ending ON sessions (until);

  CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE recordings (
    id TEXT PRIMARY KEY,
    received_at INTEGER NOT NULL,
    project TEXT NOT NULL,
    trigger_key TEXT NOT NULL,
    principal TEXT NOT NULL,
    ip TEXT NOT NULL,
    headers TEXT NOT NULL,
    body TEXT,
    masked TEXT NOT NULL,
    verdict TEXT NOT NULL,
    code TEXT,
    status INTEGER NOT NULL,
    decided_by TEXT,
    run_id TEXT,
    revision TEXT NOT NULL,
    provenance TEXT NOT NULL,
    size INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX recordings_by_time ON recordings (received_at, id, verdict, project, until, size);
  CREATE INDEX recordings_by_trigger ON recordings (trigger_key, received_at, id, verdict, project, until);
  CREATE INDEX recordings_ending ON recordings (until);
  `,
  `
  ALTER TABLE runs ADD COLUMN checkpoint TEXT;
  ALTER TABLE runs ADD COLUMN input_tokens INTEGER;
  ALTER TABLE runs ADD COLUMN output_tokens INTEGER;
  `,
  `
  ALTER TABLE runs ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX runs_suspect ON runs (accepted_at, id) WHERE interruptions > 0 AND finished_at IS NULL;
  `,
  // Sessions belong to callers.
  `
  ALTER TABLE runs ADD COLUMN conversation TEXT;
  CREATE TABLE conversations (id TEXT PRIMARY KEY, memory TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
  CREATE INDEX conversations_ending ON conversations (until);
  ${sessionAdoption}
  `,
  // What an agent said of a failure, and the request that fired a run, as JSON.
  `
  ALTER TABLE runs ADD COLUMN failure_detail TEXT;
  ALTER TABLE runs ADD COLUMN origin TEXT;
  `,
  // What expressions read of a recorded request in addition to its body and its headers, as JSON.
  `
  ALTER TABLE recordings ADD COLUMN origin TEXT;
  `,
  // Which secret a caller used, and the id of the request as its answer names it.
  `
  ALTER TABLE runs ADD COLUMN secret TEXT;
  ALTER TABLE runs ADD COLUMN request_id TEXT;
  CREATE INDEX runs_by_request ON runs (request_id) WHERE request_id IS NOT NULL;
  ALTER TABLE recordings ADD COLUMN request_id TEXT;
  `,
  // How often credentials have been used that may be used a limited number of times.
  `
  CREATE TABLE uses (id TEXT PRIMARY KEY, used INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;
  CREATE INDEX uses_ending ON uses (until);
  `,
  // What limits have counted, and what runs that have not ended have reserved of them, as JSON.
  `
  CREATE TABLE limits (
    limit_id TEXT NOT NULL,
    value TEXT NOT NULL,
    opened_at REAL NOT NULL,
    used REAL NOT NULL,
    open REAL NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (limit_id, value)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX limits_ending ON limits (until);
  ALTER TABLE runs ADD COLUMN reservations TEXT;
  `,
  // What tokens were used for, and what they have cost, in billionths of the currency.
  `
  ALTER TABLE runs ADD COLUMN model TEXT;
  ALTER TABLE runs ADD COLUMN cached_tokens INTEGER;
  ALTER TABLE runs ADD COLUMN reasoning_tokens INTEGER;
  ALTER TABLE runs ADD COLUMN cost INTEGER;
  ALTER TABLE runs ADD COLUMN currency TEXT;
  `,
  // The burst of a debounced run: what it is known by, and when the run starts, as things are and at the latest.
  `
  ALTER TABLE runs ADD COLUMN burst_key TEXT;
  ALTER TABLE runs ADD COLUMN burst_starts_at INTEGER;
  ALTER TABLE runs ADD COLUMN burst_ends_at INTEGER;
  `,
  // By which value the concurrency of a trigger is limited, and when a run starts at the earliest.
  `
  ALTER TABLE runs ADD COLUMN concurrency_value TEXT;
  ALTER TABLE runs ADD COLUMN starts_at INTEGER;
  `,
  // The place of a run in a trace, as JSON.
  `
  ALTER TABLE runs ADD COLUMN trace TEXT;
  `,
  // Why a request is recorded and what decided about it, as JSON.
  `
  ALTER TABLE recordings ADD COLUMN details TEXT;
  CREATE INDEX recordings_of_outcome ON recordings (received_at, id, size) WHERE details ->> '$.sampled' = 0;
  `,
  // What operators did. All else of an entry, as JSON.
  `
  CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    entry TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_time ON audit (at, id, actor, action);
  `,
  // Small texts that the gateway remembers, e.g. the states of alerts.
  `
  CREATE TABLE notes (key TEXT PRIMARY KEY, text TEXT NOT NULL, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
];

/** The first version of a journal with recorded requests. */
export const recordingsSince = 2;
/** The first version in which runs have a cost. */
export const costsSince = 11;

/** Of journals that this version writes. */
export const currentVersion = migrations.length;

/** Migrates a journal to the current version. Throws an Error that says why it cannot be used. */
export function migrate(database: DatabaseSync, path: string): void {
  const version = journalVersion(database, path);
  if (version === migrations.length) return;
  defineConversationId(database);
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** The version of a journal, 0 for an empty file. Throws an Error if it is not a journal or of a later version. */
export function journalVersion(database: DatabaseSync, path: string): number {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  const id = Number(database.prepare('PRAGMA application_id').get()?.application_id);
  const isEmpty = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.count === 0;
  if (!isEmpty && id !== applicationId) throw new Error(`${path} is a SQLite database, but not a Pullcord journal`);
  if (version > migrations.length) {
    throw new Error(`${path} was written by a later version of Pullcord (journal version ${version})`);
  }
  return version;
}
