import type { LoadedConfig } from '../config/load.ts';

/** How long a reload may take, in milliseconds. */
export interface ReloadLimits {
  /** After that it is logged, and revocations do not wait for it any longer. */
  readonly slowMs: number;
  /** After that it is given up. */
  readonly deadlineMs: number;
}

export const reloadLimits: ReloadLimits = { slowMs: 3000, deadlineMs: 60_000 };

export type ReloadPhase =
  | 'reading the files'
  | 'waiting until nobody writes the files'
  | 'creating plugin instances'
  | 'opening the listeners';

/** One attempt to load the config files and serve them. */
export class ReloadAttempt {
  /** Milliseconds since the epoch. */
  readonly since = Date.now();
  phase: ReloadPhase = 'reading the files';
  /** Known once the files are read. */
  loaded: LoadedConfig | undefined;
  /** How long it has waited until nobody wrote the files, in milliseconds; undefined until then. */
  settledMs: number | undefined;
  isSlow = false;
  readonly #startedAt = performance.now();
  readonly #ended = Promise.withResolvers<'given up'>();
  readonly #aborting = new AbortController();

  get durationMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  /** It may not change what serves any more, and must release what it has built. */
  get isGivenUp(): boolean {
    return this.signal.aborted;
  }

  /** Aborted when it is given up. */
  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  giveUp(): void {
    this.#aborting.abort();
    this.#ended.resolve('given up');
  }

  /** Resolves as the work does, unless the attempt is given up first, by others or at the deadline. */
  async within<T>(work: Promise<T>, limits: ReloadLimits, onSlow: () => void): Promise<T | 'given up'> {
    const slow = setTimeout(() => {
      this.isSlow = true;
      onSlow();
    }, limits.slowMs);
    const deadline = setTimeout(() => this.giveUp(), limits.deadlineMs);
    try {
      return await Promise.race([work, this.#ended.promise]);
    } finally {
      clearTimeout(slow);
      clearTimeout(deadline);
    }
  }
}
