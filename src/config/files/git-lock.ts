import { lstat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileGate } from './file-gate.ts';
import { readRegularFile } from './read-regular-file.ts';

export interface GitLock {
  readonly path: string;
  /** Another one for each time that git takes the lock. */
  readonly identity: string;
}

/**
 * The lock that git holds from before it changes the first file of a work tree until after the last one; undefined if the
 * folder is in no work tree, or git changes nothing there. A git that was killed leaves its lock, and half of the files.
 * @param folder without links
 */
export async function gitLockOf(folder: string): Promise<GitLock | undefined> {
  const gitFolder = await gitFolderOf(folder);
  if (gitFolder === undefined) return undefined;
  const path = join(gitFolder, 'index.lock');
  const found = await look(path);
  return found && { path, identity: `${found.dev}:${found.ino}:${found.mtimeNs}` };
}

async function gitFolderOf(folder: string): Promise<string | undefined> {
  for (let parent = folder; ; parent = dirname(parent)) {
    const path = join(parent, '.git');
    const found = await look(path);
    if (found?.isDirectory()) return path;
    if (found?.isFile()) return linkedGitFolder(path);
    if (dirname(parent) === parent) return undefined;
  }
}

/** Additional work trees (`git worktree add`) and submodules have a file that names the folder. */
async function linkedGitFolder(path: string): Promise<string | undefined> {
  const reading = await readRegularFile(path, 4096);
  if (reading.kind === 'fault') return undefined;
  const named = /^gitdir: (.+)$/m.exec(reading.bytes.toString('utf8'))?.[1];
  return named === undefined ? undefined : resolve(dirname(path), named);
}

async function look(path: string) {
  try {
    return await fileGate.run(path, () => lstat(path, { bigint: true }));
  } catch {
    return undefined;
  }
}
