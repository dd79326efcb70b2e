import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { RecordedRequest } from '../types/index.ts';
import { journalVersion, recordingsSince } from './migrations.ts';
import { recordingOf } from './recording-rows.ts';
import { codes, primaryCode } from './sqlite-error.ts';
import type { Row } from './statements.ts';

/**
 * Gives the recorded requests of a journal, the oldest first, and changes nothing: the gateway that it belongs to may be
 * running. Throws an Error fit for a user's eyes if the file is no journal, or one of a later version.
 */
export function* readRecordings(path: string): Generator<RecordedRequest> {
  try {
    using database = new DatabaseSync(locationOf(path), { readOnly: true });
    const version = journalVersion(database, path);
    if (version === 0) throw new Error(`${path} is empty: no journal of Pullcord`);
    if (version < recordingsSince) return;
    const found = database.prepare('SELECT * FROM recordings WHERE until > ? ORDER BY received_at, id');
    for (const row of found.iterate(Date.now())) yield recordingOf(row as Row);
  } catch (error) {
    const code = primaryCode(error);
    if (!(error instanceof Error) || code === undefined) throw error;
    if (code === codes.notADatabase) throw new Error(`${path} is no journal of Pullcord`);
    throw new Error(`${path} cannot be read: ${error.message}`);
  }
}

/**
 * A journal that nobody has open is whole in its file. SQLite must be told so: it would make its write-ahead log beside
 * it and leave that behind, and could not where the folder cannot be written.
 */
function locationOf(path: string): string | URL {
  return existsSync(`${path}-wal`) ? path : new URL('?immutable=1', pathToFileURL(path));
}
