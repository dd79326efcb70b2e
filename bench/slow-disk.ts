import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a process needs in its environment for a disk that takes 10 ms to flush; undefined without a C compiler. */
export async function slowDisk(folder: string): Promise<Record<string, string> | undefined> {
  const library = join(folder, 'slow-fsync.so');
  const source = join(import.meta.dirname, 'slow-fsync.c');
  try {
    await promisify(execFile)('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
    return { LD_PRELOAD: library };
  } catch {
    return undefined;
  }
}
