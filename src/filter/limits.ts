/** Resource limits of one evaluation. Exceeding one is an EvaluationError. */
export interface FilterLimits {
  /** Milliseconds that an isolated evaluation may take (D1012). A compiled one is bounded by `maxSteps`. */
  readonly timeoutMs: number;
  /**
   * Units of work of a compiled evaluation (D1012): one for each value visited, and for each 64 characters of
   * text read or created.
   */
  readonly maxSteps: number;
  /** Maximum number of items in a sequence that the expression creates (D2015). */
  readonly maxSequence: number;
  /** Maximum nesting of function calls (D1011). */
  readonly maxDepth: number;
}

export const defaultLimits: FilterLimits = {
  timeoutMs: 250,
  maxSteps: 1_000_000,
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

/** Variables that an expression can read in addition to its input, by name without `$`. JSON values. */
export type Bindings = Readonly<Record<string, unknown>>;
