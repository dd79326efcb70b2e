import type { ObservedCondition } from '../filter-expression.ts';

/** Collects the outcomes of conditions during one evaluation. */
export class Observations {
  readonly list: readonly ObservedCondition[];
  readonly #isTrue: (value: unknown) => boolean;

  /** @param isTrue JSONata's $boolean, with false for undefined; may throw where $boolean does */
  constructor(count: number, isTrue: (value: unknown) => boolean) {
    this.list = Array.from({ length: count }, () => ({ seenTrue: false, seenFalse: false }));
    this.#isTrue = isTrue;
  }

  note(place: number, value: unknown): void {
    const observed: { seenTrue: boolean; seenFalse: boolean } | undefined = this.list[place];
    if (observed === undefined) return;
    try {
      if (this.#isTrue(value)) observed.seenTrue = true;
      else observed.seenFalse = true;
    } catch {
      // An infinite number is neither true nor false.
    }
  }
}
