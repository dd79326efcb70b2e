import { type FileHandle, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** For how long a file that is being written counts as that, in milliseconds: a process that was killed leaves it. */
const staleAfterMs = 10_000;

/**
 * Replaces a file in one step: a reader finds all of the old text or all of the new. Of a link, the file that it
 * leads to. Its permissions stay. Returns false, and writes nothing, if it is not as it was read, or is being replaced.
 */
export async function replaceFile(file: string, before: string, text: string): Promise<boolean> {
  const target = await realpath(file);
  // A name with a dot is no config file, so that a gateway does not read it. All who replace the file have the same one.
  const temporary = join(dirname(target), `.${basename(target)}.tmp`);
  const handle = await openNew(temporary);
  if (handle === undefined) return false;
  try {
    try {
      const { mode, uid, gid } = await stat(target);
      await handle.writeFile(text);
      // Only root may give a file away; the file of somebody else then becomes one's own.
      await handle.chown(uid, gid).catch(() => undefined);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const isAsRead = (await readFile(target, 'utf8')) === before;
    if (isAsRead) await rename(temporary, target);
    else await rm(temporary);
    return isAsRead;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Undefined if another process has just opened it. */
async function openNew(path: string): Promise<FileHandle | undefined> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: 0 }))).mtimeMs;
      if (attempt > 0 || age < staleAfterMs) return undefined;
      await rm(path, { force: true });
    }
  }
}
