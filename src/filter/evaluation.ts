import { EvaluationError } from './evaluation-error.ts';
import type { Bindings, Circumstances, FilterLimits } from './limits.ts';
import { SeededRandom } from './random.ts';

/** No bindings. */
export const noBindings: Bindings = Object.freeze({});

/** Roughly the steps that take a millisecond. */
const stepsPerMillisecond = 10_000;

/**
 * The state of one evaluation of a compiled expression: remaining budget, clock and bindings. It can be reused for
 * consecutive evaluations.
 */
export class Evaluation {
  /** The whole input: `$$`. */
  root: unknown;
  bindings: Bindings = noBindings;
  readonly maxSequence: number;
  readonly #maxDepth: number;
  readonly #maxSteps: number;
  #circumstances: Partial<Circumstances> | undefined;
  #now: number | undefined;
  #random: SeededRandom | undefined;
  #steps = 0;
  #depth = 0;

  constructor(limits: FilterLimits) {
    this.maxSequence = limits.maxSequence;
    this.#maxDepth = limits.maxDepth;
    this.#maxSteps = limits.maxSteps;
  }

  begin(root: unknown, bindings: Bindings, circumstances: Partial<Circumstances> | undefined): void {
    this.root = root;
    this.bindings = bindings;
    this.#circumstances = circumstances;
    this.#steps = this.#maxSteps;
    this.#depth = 0;
  }

  /** Drops references to the input and bindings. */
  end(): void {
    this.root = undefined;
    this.bindings = noBindings;
    this.#circumstances = undefined;
    this.#now = undefined;
    this.#random = undefined;
  }

  /** Whether an external binding has the name. */
  binds(name: string): boolean {
    return this.bindings !== noBindings && Object.hasOwn(this.bindings, name);
  }

  /** Charges the budget for work before it is done; throws when the budget is exhausted. */
  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new EvaluationError('D1012');
  }

  /** Throws if the remaining budget is smaller, without charging it. */
  afford(steps: number): void {
    if (steps > this.#steps) throw new EvaluationError('D1012');
  }

  /** Charges for work by its duration in milliseconds, where no other measure of its size exists. */
  spendTime(milliseconds: number): void {
    this.spend(milliseconds * stepsPerMillisecond);
  }

  /** Charges for reading or creating text. */
  spendText(length: number): void {
    this.spend(length / 64 + 1);
  }

  /** Rejects a sequence that is too long. */
  checkSequence(length: number): void {
    if (length > this.maxSequence) throw new EvaluationError('D2015', { value: this.maxSequence });
  }

  /** Charges for a sequence that the expression creates. */
  spendSequence(length: number): void {
    this.checkSequence(length);
    this.spend(length);
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
    this.#now ??= this.#circumstances?.now ?? Date.now();
    return this.#now;
  }

  random(): number {
    this.#random ??= new SeededRandom(this.#circumstances?.seed ?? randomSeed());
    return this.#random.next();
  }
}

export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
