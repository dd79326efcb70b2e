import { closeSync, existsSync, mkdirSync, openSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { migrate } from './migrations.ts';
import { codes, primaryCode } from './sqlite-error.ts';

/** How many pages the write-ahead log (WAL) may hold before a checkpoint: 16 MiB. */
const checkpointPages = 4096;
/** How much of a disk a journal without `maxSize` may take. */
const shareOfDisk = 0.8;
const maxLogBytes = 32 * 1024 * 1024;

export interface OpenDatabase {
  readonly database: DatabaseSync;
  close(): void;
}

/**
 * Opens the journal for this process alone. Throws an Error fit for operators if another process uses it, if it is not a
 * journal or of a later version, or if commits would not be durable.
 */
export function openDatabase(path: string, maxSizeBytes: number | undefined): OpenDatabase {
  createFile(path);
  const lock = takeLock(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    configure(database);
    migrate(database, path);
    // After the migration, which a full journal of an earlier version needs room for.
    limitSize(database, maxSizeBytes ?? defaultMaxSize(path));
    database.prepare("INSERT OR REPLACE INTO meta VALUES ('owner', ?)").run(String(process.pid));
    checkDurability(database);
  } catch (error) {
    database?.close();
    lock.close();
    throw error;
  }
  const opened = database;
  return {
    database: opened,
    close() {
      opened.close();
      lock.close();
    },
  };
}

/** Readable by its owner alone: it has what callers sent. A new folder for it is excluded from git. */
function createFile(path: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, '.gitignore'), '*\n');
  }
  // Opening a FIFO would wait for its reader, forever.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) throw new Error(`${path} is not a regular file`);
  closeSync(openSync(path, 'a', 0o600));
}

/** Locks a separate file, so that other processes may read the journal. The system unlocks it if the process dies. */
export function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`);
  try {
    lock.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (primaryCode(error) !== codes.busy) throw error;
    const pid = ownerOf(path);
    throw new Error(`another process${pid === undefined ? '' : ` (${pid})`} is using ${path}`);
  }
}

function ownerOf(path: string): string | undefined {
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    return String(database.prepare("SELECT value FROM meta WHERE name = 'owner'").get()?.value ?? '') || undefined;
  } catch {
    return undefined;
  }
}

function configure(database: DatabaseSync): void {
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = FAST');
  // A checkpoint flushes the disk three times, so it is rare. The log is truncated after one.
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA journal_size_limit = ${maxLogBytes}`);
}

/**
 * A part of the disk, so that the journal does not fill it up. One that is larger already, because the disk was larger or was
 * emptier, still gets half of what is free.
 */
function defaultMaxSize(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return maxSizeOn({ journalBytes: statSync(path).size, freeBytes: bavail * bsize });
}

export function maxSizeOn({ journalBytes, freeBytes }: { journalBytes: number; freeBytes: number }): number {
  return Math.max((journalBytes + freeBytes) * shareOfDisk, journalBytes + freeBytes / 2);
}

function limitSize(database: DatabaseSync, maxSizeBytes: number): void {
  const pageSize = Number(database.prepare('PRAGMA page_size').get()?.page_size);
  database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxSizeBytes / pageSize))}`);
}

/** SQLite may ignore both settings, which shows after a write only. */
function checkDurability(database: DatabaseSync): void {
  const mode = database.prepare('PRAGMA journal_mode').get()?.journal_mode;
  const synchronous = database.prepare('PRAGMA synchronous').get()?.synchronous;
  if (mode !== 'wal' || synchronous !== 2) {
    throw new Error(`the journal would not be durable: journal_mode ${mode}, synchronous ${synchronous}`);
  }
}
