import { EvaluationError } from './evaluation-error.ts';

/** How much one evaluation may do. */
export interface EvaluationLimits {
  /** Units of work: one for each value that is looked at, and for each 64 characters of text that are read or made. */
  readonly maxSteps: number;
  /** How many items a sequence that the expression makes may have. */
  readonly maxSequence: number;
  /** How deep calls of functions may nest. */
  readonly maxDepth: number;
}

/** The time and chance of one evaluation: the same ones give the same result again. */
export interface Circumstances {
  /** Milliseconds since the epoch, of $now(), $millis() and $toMillis(). */
  readonly now: number;
  /** What $random() and $shuffle() draw from, 0 to 2³²−1. */
  readonly seed: number;
}

/** What one evaluation of a compiled expression carries along: what is left to spend, the clock, and the bindings. */
export class Evaluation {
  readonly now: number;
  readonly bindings: Readonly<Record<string, unknown>>;
  readonly maxSequence: number;
  readonly #maxDepth: number;
  #steps: number;
  #depth = 0;
  #random: number;

  constructor(limits: EvaluationLimits, { now, seed }: Circumstances, bindings: Readonly<Record<string, unknown>>) {
    this.now = now;
    this.bindings = bindings;
    this.maxSequence = limits.maxSequence;
    this.#maxDepth = limits.maxDepth;
    this.#steps = limits.maxSteps;
    this.#random = seed >>> 0;
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

  /** The next number of the seed's row, at least 0 and less than 1 (mulberry32). */
  random(): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0;
    let mixed = this.#random;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
}
