import { dirname } from 'node:path';

/** A file system that has not answered within the deadline. */
export class FileTimeoutError extends Error {}

/**
 * Bounds what a file system that hangs, such as a network mount without its server, can take from the process. A system
 * call cannot be cancelled: it holds a thread of libuv's pool, of which there are four by default, until it returns. So
 * few run at once; one that misses its deadline is abandoned and keeps its slot; and meanwhile its folder is not tried
 * again. The other threads stay free for DNS and for files that do answer.
 */
export class FileGate {
  readonly #deadlineMs: number;
  readonly #slots: number;
  readonly #abandonedByFolder = new Map<string, number>();
  #abandoned = 0;
  #running = 0;
  #waiting: (() => void)[] = [];

  constructor({ deadlineMs = 5000, slots = 3 }: { readonly deadlineMs?: number; readonly slots?: number } = {}) {
    this.#deadlineMs = deadlineMs;
    this.#slots = slots;
  }

  /**
   * Resolves as the operation does; rejects with a FileTimeoutError if it has not ended within the deadline. An abandoned
   * operation continues, so it must release by itself what it opens.
   */
  async run<T>(path: string, operation: () => Promise<T>): Promise<T> {
    const folder = dirname(path);
    await this.#takeSlot(folder);
    const settled = Promise.withResolvers<T>();
    let isAbandoned = false;
    const timer = setTimeout(() => {
      isAbandoned = true;
      this.#abandon(folder, 1);
      settled.reject(new FileTimeoutError(`has not been read within ${this.#deadlineMs / 1000}s`));
    }, this.#deadlineMs);
    operation()
      .then(settled.resolve, settled.reject)
      .finally(() => {
        clearTimeout(timer);
        this.#running -= 1;
        if (isAbandoned) this.#abandon(folder, -1);
        else this.#wake();
      });
    return settled.promise;
  }

  async #takeSlot(folder: string): Promise<void> {
    for (;;) {
      if (this.#abandonedByFolder.has(folder)) {
        throw new FileTimeoutError('is not read while another file of its folder does not answer');
      }
      if (this.#abandoned >= this.#slots) {
        const folders = [...this.#abandonedByFolder.keys()].join(', ');
        throw new FileTimeoutError(`is not read while these folders do not answer: ${folders}`);
      }
      if (this.#running < this.#slots) break;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
  }

  #abandon(folder: string, change: 1 | -1): void {
    this.#abandoned += change;
    const count = (this.#abandonedByFolder.get(folder) ?? 0) + change;
    if (count > 0) this.#abandonedByFolder.set(folder, count);
    else this.#abandonedByFolder.delete(folder);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** One for the process, since its threads are what is bounded. */
export const fileGate = new FileGate();
