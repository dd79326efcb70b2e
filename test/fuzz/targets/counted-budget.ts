import { WorkBudget } from '../../../src/work/work-budget.ts';

/**
 * The budget of a request. It adds up what was paid on its own, so that a budget that could be raised is noticed: a payment
 * that is negative or no number counts as infinite.
 */
export class CountedBudget extends WorkBudget {
  #paid = 0;

  override spend(units: number): void {
    super.spend(units);
    this.#paid += units >= 0 ? units : Infinity;
  }

  get work(): { readonly done: number; readonly limit: number } {
    return { done: this.#paid, limit: this.limit };
  }
}
