import { watch } from 'chokidar';

/** How long the folder must be quiet before it is read, and how long unrest can put that off. Milliseconds. */
const quietMs = 50;
const unrestLimitMs = 1000;
/** A watcher misses some ways of changing files (a swapped symlink above the folder, an inotify limit), a look does not. */
const lookEveryMs = 2000;

/** A config folder may be the root of its repository, and hold the journal, which changes all the time. */
const isForeign = /[/\\](\.git|node_modules)([/\\]|$)/;
const isConfig = /\.ya?ml$/i;

export interface ConfigWatch {
  close(): Promise<void>;
}

/**
 * Calls `onHint` when files below `root` may have changed: soon after the file system says so, and every two seconds
 * anyway. `onHint` compares content; calls never overlap.
 */
export function watchConfig(
  root: string,
  onHint: () => Promise<void>,
  onWatchError: (error: unknown) => void,
): ConfigWatch {
  const scheduler = new HintScheduler(onHint);
  const watcher = watch(root, {
    ignoreInitial: true,
    ignored: (path, stats) => isForeign.test(path) || (stats?.isFile() === true && !isConfig.test(path)),
  });
  watcher.on('all', () => scheduler.hint());
  watcher.on('error', onWatchError);
  const looking = setInterval(() => scheduler.now(), lookEveryMs);
  looking.unref();
  return {
    async close() {
      clearInterval(looking);
      await Promise.all([watcher.close(), scheduler.close()]);
    },
  };
}

/** Turns a burst of hints into one call after it, and keeps calls from overlapping. */
class HintScheduler {
  readonly #onHint: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #unrestSince: number | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(onHint: () => Promise<void>) {
    this.#onHint = onHint;
  }

  hint(): void {
    if (this.#closed) return;
    const now = performance.now();
    this.#unrestSince ??= now;
    const patienceMs = Math.max(0, this.#unrestSince + unrestLimitMs - now);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.now(), Math.min(quietMs, patienceMs));
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#unrestSince = undefined;
    if (this.#closed) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#onHint().finally(() => {
      this.#running = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.now();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
