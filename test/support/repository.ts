import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { configFolder } from './config-folder.ts';

const run = promisify(execFile);

/** A folder in which git runs with settings of the test alone. */
export async function repositoryIn(repository: string) {
  const gitEnv = {
    PATH: process.env.PATH ?? '',
    HOME: repository,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
    // It may still write into the repository when its folder is removed.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'maintenance.auto',
    GIT_CONFIG_VALUE_0: 'false',
  };
  const git = async (...args: string[]) => (await run('git', ['-C', repository, ...args], { env: gitEnv })).stdout;
  return { repository, git, gitEnv };
}

/** A new repository without a commit, which goes with the test. */
export async function emptyRepository(t: Test) {
  const made = await repositoryIn(await configFolder(t, {}));
  await made.git('init', '--quiet', '--initial-branch', 'main');
  return made;
}
