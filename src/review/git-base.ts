import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

/** Why an earlier state of a config cannot be had, in words for the user. */
export class GitBaseError extends Error {
  override readonly name = 'GitBaseError';
}

export interface GitBase {
  /** The config folder as it was; undefined if the revision had none. */
  readonly root: string | undefined;
  /** How git names that folder: `main:config`. */
  readonly shownAs: string;
  /** Puts away what was checked out. */
  close(): Promise<void>;
}

const run = promisify(execFile);
const deadlineMs = 60_000;

/**
 * Checks a config folder out as it was at a git revision, into a temporary folder: neither the work tree nor the index
 * nor anything else of the repository is touched.
 */
export async function checkOutConfig(folder: string, revision: string): Promise<GitBase> {
  const real = await realpath(folder);
  const top = await realpath(await git(real, ['rev-parse', '--show-toplevel']));
  const commit = await git(real, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${revision}^{commit}`,
  ]).catch(() => '');
  if (commit === '') {
    throw new GitBaseError(
      `${revision} is neither a folder nor a revision that this git repository has; in a shallow clone fetch it first: git fetch origin ${revision}`,
    );
  }
  const path = relative(top, real);
  const tree = await git(top, ['rev-parse', '--verify', '--quiet', `${commit}:${path}`]).catch(() => '');
  const isTree = tree !== '' && (await git(top, ['cat-file', '-t', tree])) === 'tree';
  const shownAs = `${revision}:${path}`;
  if (!isTree) return { root: undefined, shownAs, close: () => Promise.resolve() };
  const home = await mkdtemp(join(tmpdir(), 'pullcord-base-'));
  const close = () => rm(home, { recursive: true, force: true });
  try {
    // An index of its own, so that the user's stays as it is.
    const env = { ...process.env, GIT_INDEX_FILE: join(home, 'index') };
    const root = join(home, 'config');
    await git(top, ['read-tree', tree], env);
    await git(top, ['checkout-index', '--all', '--force', `--prefix=${root}/`], env);
    await linkPackages(real, home);
    return { root: existsSync(root) ? root : undefined, shownAs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Plugins that are packages are looked up from the config folder upwards. */
async function linkPackages(folder: string, home: string): Promise<void> {
  for (let at = folder; ; at = dirname(at)) {
    const packages = join(at, 'node_modules');
    if (existsSync(packages)) return symlink(packages, join(home, 'node_modules'));
    if (dirname(at) === at) return;
  }
}

async function git(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  try {
    const { stdout } = await run('git', ['-C', folder, ...args], {
      timeout: deadlineMs,
      maxBuffer: 64 * 1024 ** 2,
      env,
    });
    return stdout.trim();
  } catch (error) {
    const { code, stderr } = Object(error);
    if (code === 'ENOENT') throw new GitBaseError('git is not installed; name a folder as the base instead');
    throw new GitBaseError(
      String(stderr ?? '')
        .trim()
        .split('\n')[0] || 'git failed',
    );
  }
}
