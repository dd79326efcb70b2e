import { setTimeout as sleep } from 'node:timers/promises';
import { type GitLock, gitLockOf } from '../config/files/git-lock.ts';
import { ConfigLoader, type Look } from '../config/load.ts';
import { firstChange } from '../config/yaml/read-files.ts';
import type { Problem } from '../diagnostics/problem.ts';

/** How long files must stay the same before they are served, in milliseconds. */
const quietMs = 500;
/** How long files may keep changing, or git hold its lock, before the reload is refused. Milliseconds. */
const patienceMs = 10_000;

export type Pause = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

type Settling =
  | { readonly kind: 'settled'; readonly look: Look }
  /** Somebody is writing, and has been for long. */
  | { readonly kind: 'unsettled'; readonly look: Look; readonly problem: Problem }
  | { readonly kind: 'aborted'; readonly look: Look };

interface SettleOptions {
  readonly signal?: AbortSignal;
  /** Do not wait for git: its lock may be one that a killed git has left. */
  readonly ignoreLock?: boolean;
  /** Called with each further look. */
  readonly onLook?: (look: Look) => void;
  /** Called once if somebody is writing, with a file that shows it: one that has changed, or git's lock. */
  readonly onWriting?: (file: string) => void;
}

/**
 * Loads a config folder in states that were whole on disk. A writer changes one file after the other, so what one look
 * finds may be a mixture of two states. Files that have settled are those that two looks find unchanged, with a pause
 * between them: they all were on disk together, for as long as the pause at least. If git holds no lock in that time
 * either, no checkout was in progress.
 */
export class SettledLoader {
  readonly #root: string;
  readonly #loader: ConfigLoader;
  readonly #pause: Pause;
  /** Of the files that have settled last. A state that was whole remains one. */
  #settledRevision: string | undefined;
  /** A lock that was waited for in vain is not waited for again. */
  #reportedLock: string | undefined;

  /**
   * @param root the config folder, as the user gave it
   * @param pause stands in for the clock in tests
   */
  constructor(root: string, pause: Pause = (ms, signal) => sleep(ms, undefined, { signal })) {
    this.#root = root;
    this.#loader = new ConfigLoader(root);
    this.#pause = pause;
  }

  /** One look. Never rejects. */
  look(): Promise<Look> {
    return this.#loader.look();
  }

  /** Looks again until the files have settled. */
  async settle(first: Look, options: SettleOptions = {}): Promise<Settling> {
    const { signal, ignoreLock = false, onLook, onWriting } = options;
    if (first.files.revision === this.#settledRevision) return { kind: 'settled', look: first };
    let look = first;
    let changed: string | undefined;
    let isReported = false;
    const report = (file: string) => {
      if (!isReported) onWriting?.(file);
      isReported = true;
    };
    for (let waitedMs = 0; ; waitedMs += quietMs) {
      // Between the two looks: there its absence says that no checkout was in progress during both.
      const lock = ignoreLock ? undefined : await gitLockOf(look.files.realRoot);
      if (lock !== undefined) report(lock.path);
      // A lock that is gone by now is no reason: then one more look decides.
      const isOver = waitedMs >= patienceMs && (lock !== undefined || changed !== undefined);
      if (isOver || (lock !== undefined && lock.identity === this.#reportedLock)) {
        this.#reportedLock = lock?.identity;
        return { kind: 'unsettled', look, problem: this.#problem(lock, changed) };
      }
      await this.#pause(quietMs, signal).catch(() => {});
      if (signal?.aborted) return { kind: 'aborted', look };
      const next = await this.#loader.look();
      if (signal?.aborted) return { kind: 'aborted', look };
      onLook?.(next);
      const change = firstChange(look.files, next.files);
      look = next;
      if (change === undefined && lock === undefined) {
        this.#settledRevision = look.files.revision;
        return { kind: 'settled', look };
      }
      if (change === undefined) continue;
      changed = change;
      report(change);
    }
  }

  #problem(lock: GitLock | undefined, changed = this.#root): Problem {
    const common = { code: 'files_unsettled', severity: 'error' } as const;
    if (lock === undefined) {
      return {
        ...common,
        message: `the config files keep changing: no two looks, ${quietMs} ms apart, found the same`,
        hint: 'Find out what writes them all the time, or deploy into a new folder and swap a link to it.',
        place: { file: changed, pointer: '' },
      };
    }
    return {
      ...common,
      message: `git is changing the config files: ${lock.path} exists`,
      hint: 'If no git command is running there, one was killed: check the files (git status) and delete the lock.',
      place: { file: this.#root, pointer: '' },
    };
  }
}
