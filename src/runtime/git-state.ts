import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readlink, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { fileGate } from '../config/files/file-gate.ts';
import { Slices } from '../config/slices.ts';
import { isConfigPath } from '../config/yaml/find-files.ts';
import type { ConfigFile, ConfigFiles } from '../config/yaml/read-files.ts';
import { gitEnvironment } from './git-environment.ts';
import { linkMode, type TreeEntry, treeEntries } from './git-tree.ts';

/** What git says of config files that were read. */
export interface GitState {
  /** The commit that they are those of, byte for byte. */
  readonly commit: string | undefined;
  /** Whether they differ from the commit that is checked out; undefined if there is none, or git does not say. */
  readonly isDirty: boolean | undefined;
}

export const noGitState: GitState = { commit: undefined, isDirty: undefined };

/**
 * Compares the files with those of the commit that is checked out where they are. Git is asked for the commit alone: its
 * index and the files on disk may be others by now than what was read.
 */
export async function gitStateOf(files: ConfigFiles): Promise<GitState> {
  try {
    const commit = (await git(files.realRoot, 'rev-parse', '--verify', 'HEAD^{commit}')).trim();
    const entries = treeEntries(await git(files.realRoot, 'ls-tree', '-r', '-z', commit));
    const tree = new Map(entries.map((entry) => [entry.path, entry]));
    const isClean = await new Comparison(files, tree).isEqual();
    return { commit: isClean ? commit : undefined, isDirty: !isClean };
  } catch {
    return noGitState;
  }
}

/** What a commit has below the folder, by path. */
type Tree = ReadonlyMap<string, TreeEntry>;

class Comparison {
  readonly #files: ConfigFiles;
  readonly #tree: Tree;

  constructor(files: ConfigFiles, tree: Tree) {
    this.#files = files;
    this.#tree = tree;
  }

  /** Whether the files are those of the tree, all of them and no other, and links lead where they do there. */
  async isEqual(): Promise<boolean> {
    const { files, links, problems } = this.#files;
    if (problems.length > 0) return false;
    for (const link of links) if (!(await this.#isCommittedLink(link))) return false;
    const seen = new Set(links);
    const slices = new Slices();
    for (const file of files) {
      const path = await this.#realPath(file);
      if (!this.#has(path, file.bytes, false)) return false;
      seen.add(path);
      const pause = slices.next();
      if (pause) await pause;
    }
    return [...this.#tree.keys()].every((path) => seen.has(path) || !isConfigPath(path));
  }

  #has(path: string, content: Uint8Array, isLink: boolean): boolean {
    const found = this.#tree.get(path);
    return found !== undefined && (found.mode === linkMode) === isLink && found.id === blobId(content, found.id.length);
  }

  /** Below the folder, without links. Only where there are links at all does it cost a system call. */
  async #realPath({ path }: ConfigFile): Promise<string> {
    if (this.#files.links.length === 0) return path;
    const { realRoot } = this.#files;
    return relative(realRoot, await inGate(join(realRoot, path), realpath));
  }

  /** It is not, to be sure, if it leads to another link or out of the folder: what is there was not compared. */
  async #isCommittedLink(path: string): Promise<boolean> {
    const { realRoot } = this.#files;
    const link = join(realRoot, path);
    const target = await inGate(link, (path) => readlink(path));
    const leadsTo = await inGate(link, realpath);
    return (
      this.#has(path, Buffer.from(target), true) && leadsTo === resolve(await inGate(dirname(link), realpath), target)
    );
  }
}

function inGate(path: string, operation: (path: string) => Promise<string>): Promise<string> {
  return fileGate.run(path, () => operation(path));
}

/** As git names a file with that content: by SHA-1, or by SHA-256 in a repository that is made for it. */
function blobId(content: Uint8Array, idLength: number): string {
  const hash = createHash(idLength === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${content.byteLength}\0`).update(content).digest('hex');
}

const run = promisify(execFile);

/** Milliseconds; a reload waits for that. */
const timeoutMs = 3000;

/** Runs git in a folder, and returns what it prints. */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const options = { timeout: timeoutMs, env: gitEnvironment(), maxBuffer: 64 * 1024 * 1024 };
  return (await run('git', ['-C', folder, ...args], options)).stdout;
}
