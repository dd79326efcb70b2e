import { WorkBudget } from '../work/work-budget.ts';

/** Resource limits of one evaluation. Exceeding one is an EvaluationError. */
export interface FilterLimits {
  /** Milliseconds that an isolated evaluation may take (D1012). A compiled one is bounded by `maxSteps`. */
  readonly timeoutMs: number;
  /**
   * Units of work of a compiled evaluation and its result (D1012), paid before the work is done: one for each value
   * visited, and for each 64 characters of text copied. Whatever takes longer costs more, so that a unit is the same time
   * for all kinds of work: about 50 ns at most. Not used if the evaluation is given a budget.
   */
  readonly maxSteps: number;
  /** Maximum number of items in a sequence that the expression creates (D2015). */
  readonly maxSequence: number;
  /** Maximum nesting of function calls (D1011). */
  readonly maxDepth: number;
}

/**
 * The units are enough to visit each value of a body of a megabyte some ten times, so mappings, which build larger results
 * than filters, have the same limit.
 */
export const defaultLimits: FilterLimits = {
  timeoutMs: 250,
  maxSteps: WorkBudget.defaultLimit,
  maxSequence: 10_000,
  maxDepth: 500,
};

/** The clock and random seed of one evaluation: the same ones reproduce the same result. */
export interface Circumstances {
  /** Milliseconds since the epoch, of $now(), $millis() and $toMillis(). */
  readonly now: number;
  /** What $random() and $shuffle() draw from, 0 to 2³²−1. */
  readonly seed: number;
}

/** What one evaluation is given beside its input. */
export interface EvaluationOptions extends Partial<Circumstances> {
  /**
   * Pays for the evaluation, instead of a budget of its own with `maxSteps`: several evaluations can share one.
   * An isolated evaluation does its work elsewhere, and does not use it.
   */
  readonly budget?: WorkBudget;
}

/** Variables that an expression can read in addition to its input, by name without `$`. JSON values. */
export type Bindings = Readonly<Record<string, unknown>>;
