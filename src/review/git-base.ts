import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { outsidePlugins } from './outside-plugins.ts';
import { GitBaseError, git } from './run-git.ts';

export { GitBaseError } from './run-git.ts';

export interface GitBase {
  /** The config folder as it was; undefined if the revision had none. */
  readonly root: string | undefined;
  /** How git names that folder: `main:config`. */
  readonly shownAs: string;
  /** Deletes the checkout. A process that exits before deletes it as well. */
  close(): Promise<void>;
}

/**
 * Checks out a config folder as of a git revision, with the plugins that it names beside it, into a temporary folder.
 * Changes neither the work tree nor the index nor anything else of the repository.
 */
export async function checkOutConfig(folder: string, revision: string): Promise<GitBase> {
  const real = await realpath(folder);
  const top = await topOf(real, revision);
  const commit = await commitOf(top, revision);
  const { path, isThere } = await pathIn(top, commit, [await unlinked(folder), real]);
  const shownAs = `${revision}:${path || '.'}`;
  if (!isThere) return { root: undefined, shownAs, close: () => Promise.resolve() };
  const home = await mkdtemp(join(tmpdir(), 'pullcord-base-'));
  const closeNow = () => rmSync(home, { recursive: true, force: true });
  process.once('exit', closeNow);
  const close = async () => {
    await rm(home, { recursive: true, force: true });
    process.off('exit', closeNow);
  };
  try {
    // At the same depth as in the repository, so that paths out of the folder lead to the same place.
    const tree = join(home, 'tree');
    const root = join(tree, path);
    await checkOut({ top, commit, home }, path);
    if (!existsSync(root)) return { root: undefined, shownAs, close };
    for (const plugin of await outsidePlugins(root)) {
      const beside = relative(tree, dirname(plugin)).split(sep).join('/');
      // The whole repository would be checked out for a plugin at its root.
      if (beside === '' || beside.startsWith('..')) continue;
      if (await isTree(top, commit, beside)) await checkOut({ top, commit, home }, beside);
    }
    await linkPackages(real, home);
    return { root, shownAs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The path of a folder, with its parents resolved but not the folder itself: git knows a link by its own name. */
async function unlinked(folder: string): Promise<string> {
  const path = resolve(folder);
  return join(await realpath(dirname(path)), basename(path));
}

/** The first of the folders that exists in a commit, by its path there; the last one if none does. */
async function pathIn(top: string, commit: string, folders: readonly string[]) {
  const inside = folders.map((folder) => relative(top, folder).split(sep).join('/')).filter((path) => !isOutside(path));
  for (const path of new Set(inside)) if (await isTree(top, commit, path)) return { path, isThere: true };
  return { path: inside.at(-1) ?? '', isThere: false };
}

function isOutside(path: string): boolean {
  return path === '..' || path.startsWith('../') || isAbsolute(path);
}

async function topOf(folder: string, revision: string): Promise<string> {
  const top = await git(folder, ['rev-parse', '--show-toplevel']).catch((error: unknown) => {
    if (error instanceof GitBaseError && /not a git repository/.test(error.message)) {
      throw new GitBaseError(`there is no folder ${revision}, and ${folder} is in no git repository`);
    }
    throw error;
  });
  return realpath(top);
}

async function commitOf(top: string, revision: string): Promise<string> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const commit = await git(top, args).catch(() => '');
  if (commit !== '') return commit;
  throw new GitBaseError(
    `${revision} is neither a folder nor a revision of this git repository; in a shallow clone, fetch it first: git fetch origin ${revision}`,
  );
}

/** Whether a commit has a folder at a path. */
async function isTree(top: string, commit: string, path: string): Promise<boolean> {
  return (await git(top, ['cat-file', '-t', `${commit}:${path}`]).catch(() => '')) === 'tree';
}

async function checkOut(
  { top, commit, home }: { readonly top: string; readonly commit: string; readonly home: string },
  path: string,
): Promise<void> {
  // A separate index, so that the user's stays unchanged.
  const env = { GIT_INDEX_FILE: join(home, 'index') };
  await git(top, ['read-tree', `${commit}:${path}`], env);
  await git(top, ['checkout-index', '--all', '--force', `--prefix=${join(home, 'tree', path)}/`], env);
}

/** Plugins that are packages are resolved from the config folder upwards. */
async function linkPackages(folder: string, home: string): Promise<void> {
  for (let at = folder; ; at = dirname(at)) {
    const packages = join(at, 'node_modules');
    if (existsSync(packages)) return symlink(packages, join(home, 'node_modules'));
    if (dirname(at) === at) return;
  }
}
