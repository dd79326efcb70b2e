/** Work that is done once at a time: what is asked meanwhile is done when it ends, once for all who asked. */
export class OneAtATime {
  readonly #work: () => Promise<void>;
  #isBusy = false;
  #again = false;

  /** @param work handles its own errors: a rejection is a bug */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  ask(): void {
    if (this.#isBusy) this.#again = true;
    else void this.#run();
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    try {
      do {
        this.#again = false;
        await this.#work();
      } while (this.#again);
    } finally {
      this.#isBusy = false;
    }
  }
}
