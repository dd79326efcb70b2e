import type { StoredRun } from './stored-run.ts';

/**
 * Finished runs in the order in which they finished. That is not the order of `finishedAt`: the clock may have been set
 * back, and going by it the newest run would be forgotten under the eyes of its caller.
 */
export class FinishedRuns {
  #first: StoredRun | undefined;
  #last: StoredRun | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): StoredRun | undefined {
    return this.#first;
  }

  add(run: StoredRun): void {
    if (this.#last === undefined) this.#first = run;
    else this.#last.nextFinished = run;
    this.#last = run;
    this.#size += 1;
  }

  takeFirst(): StoredRun | undefined {
    const run = this.#first;
    if (run === undefined) return undefined;
    this.#first = run.nextFinished;
    if (this.#first === undefined) this.#last = undefined;
    // Whoever still holds this run must not hold all that finished after it.
    run.nextFinished = undefined;
    this.#size -= 1;
    return run;
  }
}
