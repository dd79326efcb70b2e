import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import { configLimits } from './limits.ts';

export interface FoundFiles {
  /** Paths below the folder, with slashes, sorted. */
  readonly paths: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * Finds the config files of a folder: every `.yaml` and `.yml` at any depth, through symbolic links, except what starts
 * with a dot (as a ConfigMap's `..data` does) and `node_modules`. Each real folder is entered once, which ends cycles.
 */
export async function findFiles(root: string): Promise<FoundFiles> {
  const paths: string[] = [];
  const problems: Problem[] = [];
  const entered = new Set<string>();

  async function walk(folder: string, depth: number): Promise<void> {
    const shown = join(root, folder);
    if (depth > configLimits.folderDepth) {
      problems.push(problem(shown, 'folder_too_deep', `more than ${configLimits.folderDepth} folders deep`));
      return;
    }
    const entries = await enter(shown, entered).catch(() => undefined);
    if (entries === undefined) {
      problems.push(problem(shown, 'unreadable_folder', 'the folder cannot be read'));
      return;
    }
    for (const entry of entries) {
      if (paths.length > configLimits.files) return;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (await isFolder(entry, join(root, path))) await walk(path, depth + 1);
      else if (/\.ya?ml$/.test(entry.name)) paths.push(path);
    }
  }

  await walk('', 0);
  if (paths.length > configLimits.files) {
    paths.length = configLimits.files;
    problems.push(problem(root, 'too_many_files', `more than ${configLimits.files} config files`));
  }
  return { paths: paths.sort(), problems };
}

async function enter(path: string, entered: Set<string>): Promise<readonly Dirent[]> {
  const { dev, ino } = await stat(path, { bigint: true });
  const identity = `${dev}:${ino}`;
  if (entered.has(identity)) return [];
  entered.add(identity);
  const entries = await readdir(path, { withFileTypes: true });
  const relevant = entries.filter(({ name }) => !name.startsWith('.') && name !== 'node_modules');
  return relevant.sort((left, right) => (left.name < right.name ? -1 : 1));
}

async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const target = await stat(path).catch(() => undefined);
  return target?.isDirectory() ?? false;
}

function problem(file: string, code: DiagnosticCode, message: string): Problem {
  return { code, severity: 'error', message, place: { file, pointer: '' } };
}
