import { existsSync, realpathSync, rmSync } from 'node:fs';
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { isInside } from '../../diagnostics/is-inside.ts';
import { checkOut } from './check-out.ts';
import { commitOf } from './find-revision.ts';
import { pluginPaths } from './plugin-paths.ts';
import { GitBaseError, git } from './run-git.ts';

export { GitBaseError } from './run-git.ts';

export interface GitBase {
  /** The config folder as it was; undefined if the revision had none. */
  readonly root: string | undefined;
  /** How git names that folder: `main:config`. */
  readonly shownAs: string;
  /** The time of the newer one of both commits, the base and HEAD, in milliseconds since the epoch. */
  readonly time: number;
  /** Whether a file is not in a repository: it belongs to the machine, and the other side cannot have it. */
  readonly foreign: Foreign;
  /** Deletes the checkout. A process that exits before deletes it as well. */
  close(): Promise<void>;
}

export interface Foreign {
  readonly base: (path: string) => boolean;
  head(): Promise<(path: string) => boolean>;
}

/**
 * Checks out the repository of a config folder as of a git revision, into a temporary folder. Changes neither the work
 * tree nor the index nor anything else of the repository.
 */
export async function checkOutConfig(folder: string, revision: string): Promise<GitBase> {
  const real = await realpath(folder);
  const top = await topOf(real, revision);
  const commit = await commitOf(top, revision);
  const { path, isThere } = await pathIn(top, commit, [await unlinked(folder), real]);
  const shownAs = `${revision}:${path || '.'}`;
  const time = await timeOf(top, commit);
  const home = await mkdtemp(join(await realpath(tmpdir()), 'pullcord-base-'));
  const tree = join(home, 'tree');
  const foreign = { base: (file: string) => !isInside(tree, file), head: () => foreignTo(top) };
  const closeNow = () => rmSync(home, { recursive: true, force: true });
  process.once('exit', closeNow);
  const close = async () => {
    await rm(home, { recursive: true, force: true });
    process.off('exit', closeNow);
  };
  try {
    if (!isThere) {
      await close();
      return { root: undefined, shownAs, time, foreign, close };
    }
    await checkOut({ top, commit, tree, scratch: home }, path);
    const root = join(tree, path);
    if (!existsSync(root)) return { root: undefined, shownAs, time, foreign, close };
    await linkPackages(top, tree, [root, ...(await pluginPaths(root)).map((plugin) => dirname(plugin))]);
    return { root, shownAs, time, foreign, close };
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
  const inside = folders.filter((folder) => isInside(top, folder)).map((folder) => inGit(relative(top, folder)));
  for (const path of new Set(inside)) if (await isTree(top, commit, path)) return { path, isThere: true };
  return { path: inside.at(-1) ?? '', isThere: false };
}

function inGit(path: string): string {
  return path.split(sep).join('/');
}

async function topOf(folder: string, revision: string): Promise<string> {
  const top = await git(folder, ['rev-parse', '--show-toplevel']).catch((error: unknown) => {
    if (error instanceof GitBaseError && /not a git repository/.test(error.message)) {
      throw new GitBaseError(`there is no folder ${revision}, and ${folder} is in no git repository`, {
        isUnknown: true,
      });
    }
    throw error;
  });
  return realpath(top);
}

/** Whether a commit has a folder at a path: also one in a submodule, or behind a link. */
async function isTree(top: string, commit: string, path: string): Promise<boolean> {
  return (await git(top, ['cat-file', '-t', `${commit}:${path}`]).catch(() => '')) === 'tree';
}

/** A plan's clock: the state that is compared decides what has expired, not the moment at which it is asked. */
async function timeOf(top: string, commit: string): Promise<number> {
  const seconds = await git(top, ['show', '--no-patch', '--format=%ct', commit, 'HEAD', '--']).catch(() =>
    git(top, ['show', '--no-patch', '--format=%ct', commit, '--']),
  );
  return Math.max(...seconds.split('\n').map(Number)) * 1000;
}

/** Files outside of a repository, and those that git does not know or ignores, such as secrets. */
async function foreignTo(top: string): Promise<(path: string) => boolean> {
  const listed = await git(top, ['ls-files', '-z', '--recurse-submodules']);
  const known = new Set(listed.split('\0'));
  return (path) => {
    try {
      const real = join(realpathSync(dirname(path)), basename(path));
      return !isInside(top, real) || !known.has(inGit(relative(top, real)));
    } catch {
      return true;
    }
  };
}

/** Packages are resolved from the folders of config and plugins upwards, and are in no commit. */
async function linkPackages(top: string, tree: string, folders: readonly string[]): Promise<void> {
  for (const folder of folders.filter((one) => isInside(tree, one))) {
    for (let at = folder; isInside(tree, at); at = dirname(at)) {
      await linkIfThere(join(top, relative(tree, at), 'node_modules'), join(at, 'node_modules'));
    }
  }
  for (let at = top; dirname(at) !== at; ) {
    at = dirname(at);
    if (await linkIfThere(join(at, 'node_modules'), join(dirname(tree), 'node_modules'))) return;
  }
}

async function linkIfThere(packages: string, link: string): Promise<boolean> {
  if (!existsSync(packages)) return false;
  if (!existsSync(link) && existsSync(dirname(link))) await symlink(packages, link);
  return true;
}
