import { WorkBudget } from '../../../src/contract/index.ts';

/** Passes on the budget of the evaluation under way to checks of texts, which ajv calls without one. */
export class WorkMeter {
  #work = new WorkBudget(Infinity);

  /** Charges this budget from now on. */
  charge(work: WorkBudget): void {
    this.#work = work;
  }

  /** Throws a WorkExhausted if the work exceeds what is left. */
  spend(units: number): void {
    this.#work.spend(units);
  }
}
