/** How much one evaluation may do. Whatever hits a limit is an EvaluationError. */
export interface FilterLimits {
  /** Milliseconds that an isolated evaluation may take (D1012). A compiled one ends by `maxSteps`. */
  readonly timeoutMs: number;
  /**
   * Units of work of a compiled evaluation (D1012): one for each value that is looked at, and for each 64 characters of
   * text that are read or made.
   */
  readonly maxSteps: number;
  /** How many items a sequence that the expression makes may have (D2015). */
  readonly maxSequence: number;
  /** How deep calls of functions may nest (D1011). */
  readonly maxDepth: number;
}

export const defaultLimits: FilterLimits = {
  timeoutMs: 250,
  maxSteps: 1_000_000,
  maxSequence: 10_000,
  maxDepth: 500,
};

/** The time and chance of one evaluation: the same ones give the same result again. */
export interface Circumstances {
  /** Milliseconds since the epoch, of $now(), $millis() and $toMillis(). */
  readonly now: number;
  /** What $random() and $shuffle() draw from, 0 to 2³²−1. */
  readonly seed: number;
}

/** Variables that an expression is given besides its input, by name without `$`. JSON values. */
export type Bindings = Readonly<Record<string, unknown>>;
