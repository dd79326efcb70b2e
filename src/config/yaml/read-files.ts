import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { Problem } from '../../diagnostics/problem.ts';
import { type FileStamp, readIfChanged, readRegularFile } from '../files/read-regular-file.ts';
import { findFiles } from './find-files.ts';
import { configLimits } from './limits.ts';
import { inFile } from './local-problem.ts';
import { tooLarge } from './parse.ts';

export interface ConfigFile {
  /** The config folder as given, joined with the path below it. */
  readonly file: string;
  /** Below the folder, with slashes. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Hex SHA-256 of the bytes. */
  readonly hash: string;
  /** Taken before the bytes were read: it is another one if the file was written meanwhile. */
  readonly stamp: FileStamp;
}

export interface ConfigFiles {
  /** The folder without links, below which they were read. */
  readonly realRoot: string;
  /** Paths below the folder of the symbolic links that were followed, to files and folders. */
  readonly links: readonly string[];
  /** Sorted by path. */
  readonly files: readonly ConfigFile[];
  /** Files and folders that could not be read. */
  readonly problems: readonly Problem[];
  /** Hex SHA-256 over the paths (below the folder) and bytes of all files, and over the failures to read. */
  readonly revision: string;
}

/**
 * The first file or folder that was written, replaced, created or deleted between two looks at a config folder; undefined
 * if there is none. A file that was changed and changed back counts, as far as its metadata shows that.
 */
export function firstChange(before: ConfigFiles, after: ConfigFiles): string | undefined {
  const stampsBefore = new Map(before.files.map((file) => [file.file, identityOf(file)]));
  for (const file of after.files) {
    if (stampsBefore.get(file.file) !== identityOf(file)) return file.file;
    stampsBefore.delete(file.file);
  }
  const [deleted] = stampsBefore.keys();
  if (deleted !== undefined) return deleted;
  const problems = Math.max(before.problems.length, after.problems.length);
  for (let index = 0; index < problems; index += 1) {
    const [old, found] = [before.problems[index], after.problems[index]];
    if (old?.code !== found?.code || old?.place.file !== found?.place.file) return (found ?? old)?.place.file;
  }
  return undefined;
}

function identityOf({ hash, stamp }: ConfigFile): string {
  return `${hash}:${stamp.identity}`;
}

/** As many as the gate lets pass at once. */
const readersAtOnce = 3;

/**
 * A file whose metadata changed less than this before it was read is read again next time: on a file system with coarse
 * timestamps, another write may not show. Milliseconds.
 */
const freshMs = 3000;

/** How long metadata is trusted at all, since not every file system maintains it. Milliseconds. */
const trustedMs = 60_000;

interface Remembered extends ConfigFile {
  readonly isSettled: boolean;
}

/** Reads the bytes of all config files of a folder once. Never rejects: a file that cannot be read is a problem. */
export function readConfigFiles(root: string): Promise<ConfigFiles> {
  return new ConfigReader(root).read();
}

/**
 * Reads a config folder repeatedly. All files are looked at every few seconds, so a file whose metadata did not change
 * is not opened again, except once a minute.
 */
export class ConfigReader {
  readonly #root: string;
  #remembered: ReadonlyMap<string, Remembered> = new Map();
  #readAllAt = -Infinity;

  /** @param root the config folder, as the user gave it */
  constructor(root: string) {
    this.#root = root;
  }

  /** Never rejects: a file that cannot be read is a problem. */
  async read(): Promise<ConfigFiles> {
    const startedAt = performance.now();
    const isTrusting = startedAt - this.#readAllAt < trustedMs;
    const known = isTrusting ? this.#remembered : new Map<string, Remembered>();
    if (!isTrusting) this.#readAllAt = startedAt;
    const { realRoot, paths, links, problems } = await findFiles(this.#root);
    const { files, failures } = await this.#readAll(realRoot, paths, known);
    this.#remembered = new Map(files.map((file) => [file.file, file]));
    const unread = [...problems, ...failures];
    return { realRoot, links, files, problems: unread, revision: revisionOf(files, unread, this.#root) };
  }

  /** Ends early when the files are too large together: what is read must fit into memory. */
  async #readAll(realRoot: string, paths: readonly string[], known: ReadonlyMap<string, Remembered>) {
    const outcomes: (Remembered | Problem)[] = [];
    let next = 0;
    let bytes = 0;
    const readOn = async () => {
      while (next < paths.length && bytes <= configLimits.bytes) {
        const index = next;
        next += 1;
        const path = paths[index] ?? '';
        const file = join(this.#root, path);
        const outcome = await readConfigFile({ file, path }, realRoot, known.get(file));
        if ('bytes' in outcome) bytes += outcome.bytes.byteLength;
        outcomes[index] = outcome;
      }
    };
    await Promise.all(Array.from({ length: readersAtOnce }, readOn));
    const files = outcomes.filter((outcome) => 'bytes' in outcome);
    const failures = outcomes.filter((outcome) => 'code' in outcome);
    return bytes > configLimits.bytes ? { files: [], failures: [tooLargeTogether(this.#root)] } : { files, failures };
  }
}

/** @param realRoot below which it is opened */
async function readConfigFile(
  { file, path }: Pick<ConfigFile, 'file' | 'path'>,
  realRoot: string,
  known: Remembered | undefined,
): Promise<Remembered | Problem> {
  const readAt = Date.now();
  const opened = join(realRoot, path);
  const reading = known?.isSettled
    ? await readIfChanged(opened, configLimits.bytesPerFile, known.stamp)
    : await readRegularFile(opened, configLimits.bytesPerFile);
  switch (reading.kind) {
    case 'unchanged':
      return known ?? unreadable(file, 'cannot be read');
    case 'fault':
      return reading.isTooLarge ? inFile(tooLarge(), file) : unreadable(file, reading.reason);
    case 'read': {
      const { bytes, stamp } = reading;
      return { file, path, bytes, hash: hash('sha256', bytes), stamp, isSettled: stamp.changedAt < readAt - freshMs };
    }
  }
}

function unreadable(file: string, reason: string): Problem {
  return { code: 'unreadable_file', severity: 'error', message: `the file ${reason}`, place: { file, pointer: '' } };
}

function tooLargeTogether(root: string): Problem {
  const message = `the config files are larger than ${configLimits.bytes / 1024 ** 2} MiB together`;
  return { code: 'config_too_large', severity: 'error', message, place: { file: root, pointer: '' } };
}

function revisionOf(files: readonly ConfigFile[], unread: readonly Problem[], root: string): string {
  const start = join(root, '/').length;
  // A name cannot hold a NUL, so no two folders read the same.
  const readLines = files.map(({ file, hash }) => `${file.slice(start)}\0${hash}\n`);
  const unreadLines = unread.map(({ place, code }) => `${place.file.slice(start)}\0${code}\n`);
  return hash('sha256', [...readLines, ...unreadLines].join(''));
}
