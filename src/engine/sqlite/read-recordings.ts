import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { RecordedRequest } from '../types/index.ts';
import { costsSince, journalVersion, recordingsSince } from './migrations.ts';
import { recordingOf, selectRecordings } from './recording-rows.ts';
import { codes, primaryCode } from './sqlite-error.ts';
import type { Row } from './statements.ts';

/**
 * Reads the recorded requests of a journal, the oldest first, without changing it: its gateway may be running. Throws an
 * Error fit for users if the file is not a journal or of a later version.
 */
export function* readRecordings(path: string): Generator<RecordedRequest> {
  try {
    using database = new DatabaseSync(locationOf(path), { readOnly: true });
    const version = journalVersion(database, path);
    if (version === 0) throw new Error(`${path} is empty, not a Pullcord journal`);
    if (version < recordingsSince) return;
    // Runs of an earlier version have no cost yet: the gateway migrates its journal at the next start.
    const select = version < costsSince ? 'SELECT * FROM recordings' : selectRecordings;
    const found = database.prepare(`${select} WHERE until > ? ORDER BY received_at, recordings.id`);
    for (const row of found.iterate(Date.now())) yield recordingOf(row as Row);
  } catch (error) {
    const code = primaryCode(error);
    if (!(error instanceof Error) || code === undefined) throw error;
    if (code === codes.notADatabase) throw new Error(`${path} is not a Pullcord journal`);
    throw new Error(`${path} cannot be read: ${error.message}`);
  }
}

/**
 * A journal that no process has open is complete in its file, and is opened as immutable: otherwise SQLite would create a
 * write-ahead log beside it and leave it there, and would fail in a folder without write permission.
 */
export function locationOf(path: string): string | URL {
  return existsSync(`${path}-wal`) ? path : new URL('?immutable=1', pathToFileURL(path));
}
