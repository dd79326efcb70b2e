/**
 * Units of work that validating one body may take on the event loop. A unit is about 50 ns on a slow machine, so that
 * other requests wait for at most 50 ms.
 */
export const maxWork = 1_000_000;

/** Thrown before work that exceeds the limit. */
export class WorkExceeded extends Error {
  override readonly name = 'WorkExceeded';
}

/** Pays for work whose amount only the body decides, such as matching a text, before it is done. */
export class WorkMeter {
  #left = Infinity;

  /** Begins an evaluation that may do so much work. */
  refill(units: number): void {
    this.#left = units;
  }

  /** Throws a WorkExceeded if the work exceeds what is left. */
  spend(units: number): void {
    this.#left -= units;
    if (!(this.#left >= 0)) throw new WorkExceeded('validation exceeds its limit of work');
  }
}
