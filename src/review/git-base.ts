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
  /** Puts away what was checked out. A process that exits before does it as well. */
  close(): Promise<void>;
}

/**
 * Checks a config folder out as it was at a git revision, with the plugins that it names beside it, into a temporary
 * folder: neither the work tree nor the index nor anything else of the repository is touched.
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
    // As deep as in the repository, so that paths that lead out of the folder lead to the same place.
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

/** Where a folder is, the link that it may be itself left alone: git knows it by that name. */
async function unlinked(folder: string): Promise<string> {
  const path = resolve(folder);
  return join(await realpath(dirname(path)), basename(path));
}

/** The first of the folders that a commit has, by its path there; the last if it has none of them. */
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
    `${revision} is neither a folder nor a revision that this git repository has; in a shallow clone fetch it first: git fetch origin ${revision}`,
  );
}

/** Whether a commit has a folder at that path. */
async function isTree(top: string, commit: string, path: string): Promise<boolean> {
  return (await git(top, ['cat-file', '-t', `${commit}:${path}`]).catch(() => '')) === 'tree';
}

async function checkOut(
  { top, commit, home }: { readonly top: string; readonly commit: string; readonly home: string },
  path: string,
): Promise<void> {
  // An index of its own, so that the user's stays as it is.
  const env = { GIT_INDEX_FILE: join(home, 'index') };
  await git(top, ['read-tree', `${commit}:${path}`], env);
  await git(top, ['checkout-index', '--all', '--force', `--prefix=${join(home, 'tree', path)}/`], env);
}

/** Plugins that are packages are looked up from the config folder upwards. */
async function linkPackages(folder: string, home: string): Promise<void> {
  for (let at = folder; ; at = dirname(at)) {
    const packages = join(at, 'node_modules');
    if (existsSync(packages)) return symlink(packages, join(home, 'node_modules'));
    if (dirname(at) === at) return;
  }
}
