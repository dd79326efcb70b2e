import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { RecordedRequest } from '../../contract/index.ts';
import { journalVersion, recordingsSince } from './migrations.ts';
import { recordingOf } from './recording-rows.ts';
import { codes, primaryCode } from './sqlite-error.ts';
import type { Row } from './statements.ts';

/**
 * Gives the recorded requests of a journal, the oldest first, and changes nothing: the gateway that it belongs to may be
 * running. Throws an Error fit for a user's eyes if the file is no journal, or one of a later version.
 */
export function* readRecordings(path: string): Generator<RecordedRequest> {
  using database = open(path);
  if (journalVersion(database, path) < recordingsSince) return;
  const found = database.prepare('SELECT * FROM recordings WHERE until > ? ORDER BY received_at, id');
  for (const row of found.iterate(Date.now())) yield recordingOf(row as Row);
}

function open(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    database.prepare('PRAGMA schema_version').get();
    return database;
  } catch (error) {
    database?.close();
    const code = primaryCode(error);
    // A journal that nobody has open is whole in its file. In a folder that cannot be written SQLite must be told so.
    if ((code === codes.cantOpen || code === codes.readOnly) && existsSync(path) && !existsSync(`${path}-wal`)) {
      return new DatabaseSync(new URL(`?immutable=1`, pathToFileURL(path)), { readOnly: true });
    }
    throw new Error(code === codes.cantOpen ? `${path} cannot be opened` : `${path} is no journal of Pullcord`);
  }
}
