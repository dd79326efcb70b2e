import { existsSync } from 'node:fs';
import { mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { isInside } from '../../diagnostics/is-inside.ts';
import { linkMode, submoduleMode, treeEntries } from '../../runtime/git-tree.ts';
import { GitBaseError, git } from './run-git.ts';

/** Where a repository is checked out to, and what may be changed there. */
export interface CheckOut {
  /** The work tree of the repository. */
  readonly top: string;
  readonly commit: string;
  /** A new folder, which gets the same layout. */
  readonly tree: string;
  /** A folder for what git needs meanwhile. */
  readonly scratch: string;
}

/** A large repository takes longer than other commands. */
const deadlineMs = 600_000;
/** Nothing of the repository changes: no hook is run, and neither its index nor its settings for it are used. */
const ownIndex = [
  'core.sparseCheckout=false',
  'core.splitIndex=false',
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
];

/**
 * Checks out a whole commit, with its submodules as far as their commits are here: a config may link to any file of its
 * repository, a plugin may import any, and the attributes of a file, such as its filter, depend on its path from the top.
 * @param needed path of the folder whose submodules must be there
 */
export async function checkOut(whole: CheckOut, needed: string): Promise<void> {
  await checkOutOne(whole, whole, needed, '');
}

async function checkOutOne(whole: CheckOut, one: CheckOut, needed: string, below: string): Promise<void> {
  const { top, commit, tree, scratch } = one;
  await mkdir(tree, { recursive: true });
  const settings = ownIndex.flatMap((setting) => ['-c', setting]);
  const env = { GIT_INDEX_FILE: join(scratch, `index-${commit}-${below.replaceAll('/', '-')}`) };
  await git(top, [...settings, `--work-tree=${tree}`, 'read-tree', '--reset', '-u', commit], { env, deadlineMs });
  const entries = treeEntries(await git(top, ['ls-tree', '-r', '-z', '--full-tree', commit], { deadlineMs }));
  for (const { path } of entries.filter(({ mode }) => mode === linkMode)) {
    await keepTarget(whole, join(top, path), join(tree, path));
  }
  for (const { path, id } of entries.filter(({ mode }) => mode === submoduleMode)) {
    const inside = { top: join(top, path), commit: id, tree: join(tree, path), scratch };
    await checkOutSubmodule(whole, inside, needed, join(below, path));
  }
}

/** A link into the repository leads into the checkout, one out of it to where it leads from the repository. */
async function keepTarget({ top, tree }: CheckOut, original: string, copy: string): Promise<void> {
  // Where the file system has no links, it is a text.
  const target = await readlink(copy).catch(() => undefined);
  if (target === undefined) return;
  const leadsTo = resolve(dirname(original), target);
  const staysInside = isInside(top, leadsTo);
  if (staysInside !== isAbsolute(target)) return;
  await rm(copy);
  await symlink(staysInside ? join(tree, relative(top, leadsTo)) : leadsTo, copy);
}

async function checkOutSubmodule(whole: CheckOut, one: CheckOut, needed: string, path: string): Promise<void> {
  // One that was never initialized is an empty folder in the work tree too.
  if (!existsSync(join(one.top, '.git'))) return;
  const isHere = await git(one.top, ['cat-file', '-e', `${one.commit}^{commit}`]).then(
    () => true,
    () => false,
  );
  if (isHere) return checkOutOne(whole, one, needed, path);
  const isNeeded = needed === '' || path === needed || path.startsWith(`${needed}/`);
  if (!isNeeded) return;
  const hint = `git -C ${relative(process.cwd(), one.top) || '.'} fetch origin ${one.commit}`;
  throw new GitBaseError(`the submodule ${path} has no commit ${one.commit.slice(0, 12)}; fetch it first: ${hint}`);
}
