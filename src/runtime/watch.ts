import { realpathSync } from 'node:fs';
import { watch } from 'chokidar';

/** Debounce: how long the folder must be quiet before it is read, and how long a burst of changes can delay that. Milliseconds. */
const quietMs = 50;
const longestBurstMs = 1000;
/** A watcher misses some changes, such as a swapped symlink above the folder or an inotify limit. Polling does not. */
const pollEveryMs = 2000;

/** A config folder may be the root of its repository, and contain the journal, which changes all the time. */
const isForeign = /[/\\](\.git|node_modules)([/\\]|$)/;
const isConfig = /\.ya?ml$/i;

export interface ConfigWatch {
  close(): Promise<void>;
}

/**
 * Calls `onHint` when files below `root` may have changed: shortly after the file system reports it, and every two seconds
 * in any case. `onHint` compares content; calls never overlap.
 */
export function watchConfig(
  root: string,
  onHint: () => Promise<void>,
  onWatchError: (error: unknown) => void,
): ConfigWatch {
  const scheduler = new HintScheduler(onHint);
  const watcher = watch(realPath(root), {
    ignoreInitial: true,
    // A link may lead to `/`, and the watcher would walk all of it. What a link inside leads to is watched where it is.
    followSymlinks: false,
    ignored: (path, stats) => isForeign.test(path) || (stats?.isFile() === true && !isConfig.test(path)),
  });
  watcher.on('all', () => scheduler.hint());
  watcher.on('error', onWatchError);
  const polling = setInterval(() => scheduler.now(), pollEveryMs);
  polling.unref();
  return {
    async close() {
      clearInterval(polling);
      await Promise.all([watcher.close(), scheduler.close()]);
    },
  };
}

/** The watcher follows no links, so it needs to know where the folder is. */
function realPath(root: string): string {
  try {
    return realpathSync(root);
  } catch {
    return root;
  }
}

/** Debounces hints: a burst becomes one call after it. Calls never overlap. */
class HintScheduler {
  readonly #onHint: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #burstSince: number | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(onHint: () => Promise<void>) {
    this.#onHint = onHint;
  }

  hint(): void {
    if (this.#closed) return;
    const now = performance.now();
    this.#burstSince ??= now;
    const leftMs = Math.max(0, this.#burstSince + longestBurstMs - now);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.now(), Math.min(quietMs, leftMs));
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#burstSince = undefined;
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
