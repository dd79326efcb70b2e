import { existsSync, lstatSync, statSync } from 'node:fs';
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NewFile } from './new-file.ts';

/** What in a folder conflicts with new files: those that exist, and files where a folder has to be. */
export function filesInTheWay(root: string, files: readonly NewFile[]): readonly string[] {
  const found = files.map(({ path }) => firstInTheWay(root, path)).filter((path) => path !== undefined);
  return [...new Set(found)];
}

function firstInTheWay(root: string, path: string): string | undefined {
  const parts = path.split('/');
  const above = parts.slice(0, -1).map((_part, index) => parts.slice(0, index + 1).join('/'));
  const blocking = above.find((folder) => exists(join(root, folder)) && !isFolder(join(root, folder)));
  return blocking ?? (exists(join(root, path)) ? path : undefined);
}

/** Including dangling links. A path that cannot be inspected is reported when it cannot be written. */
function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

export type WrittenFiles =
  | { readonly ok: true }
  /** What could not be written, why, and which of the other files could not be removed again. */
  | { readonly ok: false; readonly path: string; readonly reason: string; readonly left: readonly string[] };

/** Writes all files or none; it overwrites no file, not even one that appears in the meantime. */
export async function writeFiles(root: string, files: readonly NewFile[]): Promise<WrittenFiles> {
  const made: Made[] = [];
  for (const { path, text } of files) {
    const file = join(root, path);
    try {
      await makeFolder(dirname(file), made);
      await writeFile(file, text, { flag: 'wx' });
      made.push({ path: file, remove: () => rm(file) });
    } catch (error) {
      // A file that was only partly written, on a full disk, exists nevertheless.
      if (codeOf(error) !== 'EEXIST') await rm(file, { force: true }).catch(() => undefined);
      return { ok: false, path: file, reason: codeOf(error), left: await takeBack(made) };
    }
  }
  return { ok: true };
}

interface Made {
  readonly path: string;
  remove(): Promise<void>;
}

async function makeFolder(folder: string, made: Made[]): Promise<void> {
  if (existsSync(folder)) return;
  await makeFolder(dirname(folder), made);
  await mkdir(folder);
  made.push({ path: folder, remove: () => rmdir(folder) });
}

/** Removes the files and folders, the last first; returns those that could not be removed. */
async function takeBack(made: readonly Made[]): Promise<readonly string[]> {
  const left: string[] = [];
  for (const { path, remove } of made.toReversed()) await remove().catch(() => left.push(path));
  return left;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
