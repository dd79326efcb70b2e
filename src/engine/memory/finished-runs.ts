import type { StoredRun } from './stored-run.ts';

/**
 * Finished runs in the order in which they finished: a queue. Not ordered by `finishedAt`, since the clock may be set back:
 * then the run that just finished would be dropped first, before its caller could read it.
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
    // A reference to this run must not keep all later ones from being garbage collected.
    run.nextFinished = undefined;
    this.#size -= 1;
    return run;
  }
}
