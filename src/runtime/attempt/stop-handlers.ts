import { within } from '../within.ts';

/** The handlers of all attempts that are stopping an agent's work at the moment: what a gateway that stops waits for. */
export class StopHandlers {
  readonly #running = new Set<Promise<void>>();

  /** @param handler never rejects */
  add(handler: Promise<void>): void {
    this.#running.add(handler);
    void handler.then(() => this.#running.delete(handler));
  }

  /** Resolves when none is under way, or after `timeoutMs`. A handler may be followed by another. */
  async settled(timeoutMs: number): Promise<void> {
    await within(timeoutMs, this.#drained());
  }

  async #drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
