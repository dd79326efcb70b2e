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
    const { promise: late, resolve } = Promise.withResolvers<void>();
    let isLate = false;
    // Unlike that of `within`, it keeps the process: a gateway must not exit before its agents are stopped.
    const timer = setTimeout(() => {
      isLate = true;
      resolve();
    }, timeoutMs);
    while (this.#running.size > 0 && !isLate) await Promise.race([Promise.all(this.#running), late]);
    clearTimeout(timer);
  }
}
