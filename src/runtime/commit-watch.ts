import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { git } from './git-state.ts';

/**
 * Notices that something was committed or checked out, by git's log of HEAD: a system call a look. A commit of files that serve
 * already changes none of them. Where git keeps no such log, nothing is noticed.
 */
export class CommitWatch {
  readonly #folder: string;
  #log: Promise<string | undefined> | undefined;
  #seen: string | undefined;

  /** @param folder any folder of the work tree */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether it has since the last call; true for the first one. Never rejects. */
  async hasMoved(): Promise<boolean> {
    this.#log ??= this.#find();
    const log = await this.#log;
    const found = log === undefined ? undefined : await stat(log, { bigint: true }).catch(() => undefined);
    const seen = found === undefined ? 'none' : `${found.mtimeNs} ${found.size} ${found.ino}`;
    const hasMoved = seen !== this.#seen;
    this.#seen = seen;
    return hasMoved;
  }

  async #find(): Promise<string | undefined> {
    try {
      return resolve(this.#folder, (await git(this.#folder, 'rev-parse', '--git-path', 'logs/HEAD')).trimEnd());
    } catch {
      return undefined;
    }
  }
}
