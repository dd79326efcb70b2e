import type { BigIntStats, Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import { fileGate } from '../files/file-gate.ts';
import { faultOf } from '../files/read-regular-file.ts';
import { configLimits } from './limits.ts';

export interface FoundFiles {
  /**
   * The folder without links. All files are read below it, so that one load cannot mix two releases when a link to the
   * folder is swapped meanwhile.
   */
  readonly realRoot: string;
  /** Paths below the folder, with slashes, sorted. */
  readonly paths: readonly string[];
  /** Those of the symbolic links that were followed, to files and folders. */
  readonly links: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * Finds the config files of a folder: every `.yaml` and `.yml` at any depth, through symbolic links, except what starts
 * with a dot (as a ConfigMap's `..data` does) and `node_modules`. Each real folder is entered once, which ends cycles. A
 * link to a folder outside is a problem and is not followed: there could be any number of files.
 */
export async function findFiles(root: string): Promise<FoundFiles> {
  const realRoot = await fileGate.run(root, () => realpath(root)).catch(() => root);
  const walk = new Walk(root, realRoot);
  await walk.enter('', 0);
  return { realRoot, paths: walk.paths.sort(), links: walk.links, problems: walk.problems };
}

/** Whether a file at this path below a config folder is one of its config files. */
export function isConfigPath(path: string): boolean {
  return isYaml(path) && !path.split('/').some(isIgnored);
}

function isIgnored(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules';
}

class Walk {
  readonly paths: string[] = [];
  readonly links: string[] = [];
  readonly problems: Problem[] = [];
  readonly #root: string;
  readonly #realRoot: string;
  readonly #entered = new Set<string>();
  #entries = 0;
  #isFull = false;

  constructor(root: string, realRoot: string) {
    this.#root = root;
    this.#realRoot = realRoot;
  }

  async enter(folder: string, depth: number): Promise<void> {
    if (depth > configLimits.folderDepth) {
      return this.#report(folder, 'folder_too_deep', `more than ${configLimits.folderDepth} folders deep`);
    }
    try {
      for (const entry of await this.#entriesOf(join(this.#realRoot, folder))) {
        if (this.#isFull) return;
        await this.#take(entry, folder === '' ? entry.name : `${folder}/${entry.name}`, depth);
      }
    } catch (error) {
      this.#report(folder, 'unreadable_folder', `the folder ${faultOf(error).reason}`);
    }
  }

  async #take(entry: Dirent, path: string, depth: number): Promise<void> {
    const isFolder = entry.isSymbolicLink() ? await this.#isFolderInside(path) : entry.isDirectory();
    if (isFolder === undefined) return;
    if (entry.isSymbolicLink() && (isFolder || isYaml(path))) this.links.push(path);
    if (isFolder) await this.enter(path, depth + 1);
    else if (isYaml(path)) this.#add(path);
  }

  #add(path: string): void {
    if (this.paths.length < configLimits.files) this.paths.push(path);
    else this.#stop('too_many_files', `more than ${configLimits.files} config files`);
  }

  /** Whether a link leads to a folder; undefined if that is outside, which is reported. */
  async #isFolderInside(path: string): Promise<boolean | undefined> {
    const link = join(this.#realRoot, path);
    const target = await fileGate.run(link, () => targetOf(link)).catch(() => undefined);
    if (target === undefined) return false;
    const isInside = target === this.#realRoot || target.startsWith(join(this.#realRoot, sep));
    if (isInside) return true;
    const hint = 'Move the folder here, or link its files one by one.';
    this.#report(path, 'link_outside', `the link leads to a folder outside the config folder: ${target}`, hint);
    return undefined;
  }

  async #entriesOf(path: string): Promise<readonly Dirent[]> {
    return fileGate.run(join(path, '.entries'), async () => {
      if (!this.#isNew(await stat(path, { bigint: true }))) return [];
      const relevant: Dirent[] = [];
      // In portions: a list of a million entries would block while it is made.
      for await (const entry of await opendir(path, { bufferSize: 512 })) {
        this.#entries += 1;
        if (this.#entries > configLimits.entries) {
          this.#stop('too_many_entries', `more than ${configLimits.entries} files and folders`);
          break;
        }
        if (!isIgnored(entry.name)) relevant.push(entry);
      }
      return relevant.sort((left, right) => (left.name < right.name ? -1 : 1));
    });
  }

  #isNew({ dev, ino }: BigIntStats): boolean {
    const identity = `${dev}:${ino}`;
    if (this.#entered.has(identity)) return false;
    this.#entered.add(identity);
    return true;
  }

  #stop(code: DiagnosticCode, message: string): void {
    if (!this.#isFull) this.#report('', code, message);
    this.#isFull = true;
  }

  #report(path: string, code: DiagnosticCode, message: string, hint?: string): void {
    const place = { file: join(this.#root, path), pointer: '' };
    this.problems.push({ code, severity: 'error', message, ...(hint !== undefined && { hint }), place });
  }
}

/** Where a link to a folder leads; undefined for anything else. */
async function targetOf(link: string): Promise<string | undefined> {
  return (await stat(link)).isDirectory() ? realpath(link) : undefined;
}

function isYaml(path: string): boolean {
  return /\.ya?ml$/.test(path);
}
