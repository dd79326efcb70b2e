import { EvaluationError } from './evaluation-error.ts';
import type { Bindings, Circumstances, FilterLimits } from './limits.ts';
import { SeededRandom } from './random.ts';

/** What one evaluation of a compiled expression carries along: what is left to spend, the clock, and the bindings. */
export class Evaluation {
  /** The whole input: `$$`. */
  readonly root: unknown;
  readonly now: number;
  readonly bindings: Bindings;
  readonly maxSequence: number;
  readonly #maxDepth: number;
  readonly #seed: number;
  #random: SeededRandom | undefined;
  #steps: number;
  #depth = 0;

  constructor(limits: FilterLimits, { now, seed }: Circumstances, root: unknown, bindings: Bindings) {
    this.root = root;
    this.now = now;
    this.bindings = bindings;
    this.maxSequence = limits.maxSequence;
    this.#maxDepth = limits.maxDepth;
    this.#steps = limits.maxSteps;
    this.#seed = seed;
  }

  /** Pays for work before it is done; throws when there is nothing left. */
  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new EvaluationError('D1012');
  }

  /** Pays for reading or making a text. */
  spendText(length: number): void {
    this.spend((length >> 6) + 1);
  }

  /** Pays for a sequence that the expression makes. */
  spendSequence(length: number): void {
    if (length > this.maxSequence) throw new EvaluationError('D2015', { value: this.maxSequence });
    this.spend(length);
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > this.#maxDepth) throw new EvaluationError('D1011', { value: this.#maxDepth });
  }

  leave(): void {
    this.#depth -= 1;
  }

  random(): number {
    this.#random ??= new SeededRandom(this.#seed);
    return this.#random.next();
  }
}
