import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { gitEnvironment } from '../../runtime/git-environment.ts';

/** Why an earlier version of a config is not available, in words for the user. */
export class GitBaseError extends Error {
  override readonly name = 'GitBaseError';
  /** Whether git itself works, and there is no such revision or no repository: a folder may be meant. */
  readonly isUnknown: boolean;

  constructor(message: string, { isUnknown = false } = {}) {
    super(message);
    this.isUnknown = isUnknown;
  }
}

export interface GitOptions {
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

const run = promisify(execFile);
const defaultDeadlineMs = 60_000;

/** Runs git in a folder and returns its stdout. Throws a GitBaseError with what it says on stderr. */
export async function git(
  folder: string,
  args: readonly string[],
  { env = {}, deadlineMs = defaultDeadlineMs }: GitOptions = {},
): Promise<string> {
  try {
    const { stdout } = await run('git', ['-C', folder, ...args], {
      timeout: deadlineMs,
      maxBuffer: 256 * 1024 ** 2,
      // The messages below are looked for in English.
      env: { ...gitEnvironment(), LC_ALL: 'C', ...env },
    });
    return stdout.replace(/\r?\n$/, '');
  } catch (error) {
    const { code, stderr, killed } = Object(error);
    if (code === 'ENOENT') {
      throw new GitBaseError('git is not installed; name a folder as the base instead', { isUnknown: true });
    }
    if (killed === true) throw new GitBaseError(`git did not answer within ${deadlineMs / 1000} s`);
    throw new GitBaseError(complaintOf(String(stderr ?? '')) || 'git failed');
  }
}

/** The first line; and where git refuses a folder of another owner, also its advice on how to allow it. */
function complaintOf(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const advice = lines.find((line) => line.startsWith('git config') && line.includes('safe.directory'));
  const [first = ''] = lines.filter((line) => line !== '');
  return advice === undefined ? first : `${first}; if you trust it, allow it: ${advice}`;
}
