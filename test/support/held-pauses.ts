import type { Pause } from '../../src/runtime/settled-loader.ts';

/** A clock by which files settle: as long as it is held, each pause lasts until the test ends it. */
export class HeldPauses {
  isHeld = false;
  readonly #begun: (() => void)[] = [];
  readonly #waiting: (() => void)[] = [];

  readonly pause: Pause = (_ms, signal) => {
    if (!this.isHeld) return Promise.resolve();
    return new Promise((resolve) => {
      this.#begun.push(resolve);
      signal?.addEventListener('abort', () => resolve());
      this.#waiting.shift()?.();
    });
  };

  /** Resolves when a pause has begun, with a function that ends it. */
  async next(): Promise<() => void> {
    while (this.#begun.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#begun.shift() ?? (() => {});
  }

  /** Ends the pause that goes on, and all later ones at once. */
  letGo(): void {
    this.isHeld = false;
    for (const end of this.#begun.splice(0)) end();
  }
}
