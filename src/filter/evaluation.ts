import { WorkBudget } from '../work/work-budget.ts';
import { EvaluationError } from './evaluation-error.ts';
import type { Bindings, EvaluationOptions, FilterLimits } from './limits.ts';
import { SeededRandom } from './random.ts';

/** No bindings. */
export const noBindings: Bindings = Object.freeze({});

/** From this length on, a growing array is copied to new pages of memory. */
export const largeLength = 16_384;

/** The state of one evaluation of a compiled expression: budget, clock and bindings. Reused for consecutive evaluations. */
export class Evaluation {
  /** The whole input: `$$`. */
  root: unknown;
  bindings: Bindings = noBindings;
  readonly maxSequence: number;
  readonly #maxDepth: number;
  readonly #maxSteps: number;
  /** Pays for nothing before it begins. */
  #budget = new WorkBudget(0);
  #options: EvaluationOptions | undefined;
  #now: number | undefined;
  #random: SeededRandom | undefined;
  #depth = 0;

  constructor(limits: FilterLimits) {
    this.maxSequence = limits.maxSequence;
    this.#maxDepth = limits.maxDepth;
    this.#maxSteps = limits.maxSteps;
  }

  begin(root: unknown, bindings: Bindings, options: EvaluationOptions | undefined): void {
    this.root = root;
    this.bindings = bindings;
    this.#options = options;
    this.#budget = options?.budget ?? new WorkBudget(this.#maxSteps);
    this.#depth = 0;
  }

  /** Drops references to the input and bindings. */
  end(): void {
    this.root = undefined;
    this.bindings = noBindings;
    this.#options = undefined;
    this.#now = undefined;
    this.#random = undefined;
  }

  /** Whether an external binding has the name. */
  binds(name: string): boolean {
    return this.bindings !== noBindings && Object.hasOwn(this.bindings, name);
  }

  /** Charges the budget for work before it is done; throws when the budget is exhausted. */
  spend(units: number): void {
    this.#budget.spend(units);
  }

  /** Throws if the remaining budget is smaller, without charging it: for work of which only an upper bound is known. */
  afford(units: number): void {
    this.#budget.afford(units);
  }

  /** Charges for reading or creating text. */
  spendText(length: number): void {
    this.#budget.spend(length / 64 + 1);
  }

  /** Rejects a sequence that is too long. */
  checkSequence(length: number): void {
    if (length > this.maxSequence) throw new EvaluationError('D2015', { value: this.maxSequence });
  }

  /** Charges for items that the expression adds to a sequence, which has `before` items so far. */
  spendSequence(length: number, before = 0): void {
    this.checkSequence(before + length);
    this.#budget.spend(before + length > largeLength ? length * 3 : length);
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > this.#maxDepth) throw new EvaluationError('D1011', { value: this.#maxDepth });
  }

  leave(): void {
    this.#depth -= 1;
  }

  /** Milliseconds since the epoch, constant throughout the evaluation. */
  get now(): number {
    this.#now ??= this.#options?.now ?? Date.now();
    return this.#now;
  }

  random(): number {
    this.#random ??= new SeededRandom(this.#options?.seed ?? randomSeed());
    return this.#random.next();
  }
}

export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
