import { hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../../diagnostics/problem.ts';
import { findFiles } from './find-files.ts';
import { configLimits } from './limits.ts';
import { inFile } from './local-problem.ts';
import { tooLarge } from './parse.ts';
import { readBoundedSync } from './read-bounded.ts';

export interface ConfigFile {
  /** The config folder as given, joined with the path below it. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** Hex SHA-256 of the bytes. */
  readonly hash: string;
}

export interface ConfigFiles {
  /** Sorted by path. */
  readonly files: readonly ConfigFile[];
  /** Files and folders that could not be read. */
  readonly problems: readonly Problem[];
  /** Hex SHA-256 over the paths (below the folder) and bytes of all files, and over the failures to read. */
  readonly revision: string;
}

/** Reading this many small files takes well under a millisecond. */
const filesAtOnce = 32;

/** Reads the bytes of all config files of a folder. Never rejects: a file that cannot be read is a problem. */
export async function readConfigFiles(root: string): Promise<ConfigFiles> {
  const { paths, problems } = await findFiles(root);
  const buffer = Buffer.allocUnsafe(configLimits.bytesPerFile + 1);
  const files: ConfigFile[] = [];
  const failures: Problem[] = [];
  for (let start = 0; start < paths.length; start += filesAtOnce) {
    const batch = paths.slice(start, start + filesAtOnce).map((path) => join(root, path));
    for (const outcome of await readBatch(batch, buffer)) {
      if ('bytes' in outcome) files.push(outcome);
      else failures.push(outcome);
    }
  }
  const { kept, problem } = withinTotal(files, root);
  const unread = [...problems, ...failures, ...problem];
  return { files: kept, problems: unread, revision: revisionOf(kept, unread, root) };
}

/**
 * Blocking reads are eight times as fast as those of the thread pool, and all files are read every few seconds. A file
 * system that hangs does so in the asynchronous `stat` before, where only the reload waits for it.
 */
async function readBatch(files: readonly string[], buffer: Buffer): Promise<readonly (ConfigFile | Problem)[]> {
  const looks = await Promise.allSettled(files.map((file) => stat(file)));
  return files.map((file, index) => {
    const look = looks[index];
    if (look?.status === 'fulfilled' && !look.value.isFile()) return unreadable(file, 'this is not a file');
    return readConfigFile(file, buffer);
  });
}

function readConfigFile(file: string, buffer: Buffer): ConfigFile | Problem {
  try {
    const bytes = readBoundedSync(file, configLimits.bytesPerFile, buffer);
    return bytes === undefined ? inFile(tooLarge(), file) : { file, bytes, hash: hash('sha256', bytes) };
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
    return unreadable(file, `the file cannot be read${reason}`);
  }
}

function unreadable(file: string, message: string): Problem {
  return { code: 'unreadable_file', severity: 'error', message, place: { file, pointer: '' } };
}

function withinTotal(files: readonly ConfigFile[], root: string): { kept: readonly ConfigFile[]; problem: Problem[] } {
  let total = 0;
  const end = files.findIndex(({ bytes }) => {
    total += bytes.byteLength;
    return total > configLimits.bytes;
  });
  if (end === -1) return { kept: files, problem: [] };
  const message = `the config files are larger than ${configLimits.bytes / 1024 ** 2} MiB together`;
  return {
    kept: files.slice(0, end),
    problem: [{ code: 'config_too_large', severity: 'error', message, place: { file: root, pointer: '' } }],
  };
}

function revisionOf(files: readonly ConfigFile[], unread: readonly Problem[], root: string): string {
  const start = join(root, '/').length;
  // A name cannot hold a NUL, so no two folders read the same.
  const readLines = files.map(({ file, hash }) => `${file.slice(start)}\0${hash}\n`);
  const unreadLines = unread.map(({ place, code }) => `${place.file.slice(start)}\0${code}\n`);
  return hash('sha256', [...readLines, ...unreadLines].join(''));
}
