import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The commit that is checked out where the folder is, or undefined if it is in no work tree or git is not there. */
export async function gitCommitOf(folder: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', ['-C', folder, 'rev-parse', 'HEAD'], { timeout: 1000 });
    return stdout.trim();
  } catch {
    return undefined;
  }
}
