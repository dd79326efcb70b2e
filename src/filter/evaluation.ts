import { EvaluationError } from './evaluation-error.ts';
import type { Bindings, Circumstances, FilterLimits } from './limits.ts';
import { SeededRandom } from './random.ts';

/** What nothing is bound by. */
export const noBindings: Bindings = Object.freeze({});

/** About what a millisecond of other work costs. */
const stepsPerMillisecond = 10_000;

/**
 * What one evaluation of a compiled expression carries along: what is left to spend, the clock, and the bindings. It can
 * be used for one evaluation after the other.
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

  /** Forgets what the evaluation was given. */
  end(): void {
    this.root = undefined;
    this.bindings = noBindings;
    this.#circumstances = undefined;
    this.#now = undefined;
    this.#random = undefined;
  }

  /** Whether something from outside has the name. */
  binds(name: string): boolean {
    return this.bindings !== noBindings && Object.hasOwn(this.bindings, name);
  }

  /** Pays for work before it is done; throws when there is nothing left. */
  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new EvaluationError('D1012');
  }

  /** Throws if there is not so much left, without paying for it. */
  afford(steps: number): void {
    if (steps > this.#steps) throw new EvaluationError('D1012');
  }

  /** Pays for work by the time that it took, in milliseconds: where its size shows in nothing else. */
  spendTime(milliseconds: number): void {
    this.spend(milliseconds * stepsPerMillisecond);
  }

  /** Pays for reading or making a text. */
  spendText(length: number): void {
    this.spend(length / 64 + 1);
  }

  /** Refuses a sequence that is too long. */
  checkSequence(length: number): void {
    if (length > this.maxSequence) throw new EvaluationError('D2015', { value: this.maxSequence });
  }

  /** Pays for a sequence that the expression makes. */
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

  /** Milliseconds since the epoch: the same ones throughout the evaluation. */
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
