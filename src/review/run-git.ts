import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Why an earlier version of a config is not available, in words for the user. */
export class GitBaseError extends Error {
  override readonly name = 'GitBaseError';
}

const run = promisify(execFile);
const deadlineMs = 60_000;

/** Runs git in a folder and returns its stdout. Throws a GitBaseError with the first line of its stderr. */
export async function git(
  folder: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    const { stdout } = await run('git', ['-C', folder, ...args], {
      timeout: deadlineMs,
      maxBuffer: 64 * 1024 ** 2,
      env: { ...withoutRepository(process.env), ...more },
    });
    return stdout.replace(/\r?\n$/, '');
  } catch (error) {
    const { code, stderr } = Object(error);
    if (code === 'ENOENT') throw new GitBaseError('git is not installed; name a folder as the base instead');
    const [complaint = ''] = String(stderr ?? '')
      .trim()
      .split('\n');
    throw new GitBaseError(complaint || 'git failed');
  }
}

/** Git sets variables for its hooks, from which this may run; they would lead to another repository or index. */
function withoutRepository(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !repositoryVariables.has(name)));
}

/** The variables of `git rev-parse --local-env-vars` that are paths. */
const repositoryVariables: ReadonlySet<string> = new Set([
  ...['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX', 'GIT_COMMON_DIR', 'GIT_NAMESPACE'],
  ...['GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_IMPLICIT_WORK_TREE'],
]);
