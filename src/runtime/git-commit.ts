import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Git gets no other variable: programs of triggers could read the gateway's secrets in the environment of git. */
const neededNames = [
  'PATH',
  'HOME',
  'XDG_CONFIG_HOME',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_SYSTEM',
  'GIT_CONFIG_NOSYSTEM',
];

/** The commit that is checked out where the folder is, or undefined if it is in no work tree or git is not there. */
export async function gitCommitOf(folder: string): Promise<string | undefined> {
  try {
    const env = Object.fromEntries(neededNames.map((name) => [name, process.env[name]]));
    const { stdout } = await run('git', ['-C', folder, 'rev-parse', 'HEAD'], { timeout: 1000, env });
    return stdout.trim();
  } catch {
    return undefined;
  }
}
