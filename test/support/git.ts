import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Git = (...args: readonly string[]) => Promise<string>;

/** Runs git in a folder, whatever the settings of the user, and returns what it prints. */
export function gitIn(folder: string): Git {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const names = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main'];
  return async (...args) => (await run('git', ['-C', folder, ...names, ...args], { env })).stdout.trim();
}

/** Makes a repository of the folder, with all its files in a first commit. */
export async function repositoryIn(folder: string): Promise<Git> {
  const git = gitIn(folder);
  await git('init', '--quiet');
  await git('add', '.');
  await git('commit', '--quiet', '--message=first');
  return git;
}
