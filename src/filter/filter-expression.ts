import type { ExpressionProblem } from './expression-error.ts';
import type { Bindings, Circumstances, EvaluationOptions } from './limits.ts';

/** A value, or a promise of it if the evaluation is isolated. */
export type MaybePromise<T> = T | Promise<T>;

/** A compiled expression. It can be evaluated any number of times, also concurrently. */
export interface FilterExpression {
  /** `compiled`: evaluated here, synchronously. `isolated`: by the reference interpreter in a sandboxed process. */
  readonly mode: 'compiled' | 'isolated';
  /** Why the expression is isolated. */
  readonly reason?: string;
  /** Valid expressions that are almost certainly mistakes. */
  readonly warnings: readonly ExpressionProblem[];
  /** The value, as JSON, if it is known to be the same for every input. A `value` of `undefined` means no value. */
  readonly constant: { readonly value: unknown } | undefined;
  /** Names of the variables that it reads, without `$`, including those that it binds itself. */
  readonly variables: ReadonlySet<string>;
  /**
   * Returns the expression's value for an input, as JSONata does: arrays may carry JSONata's marks, and functions are not
   * JSON. Throws an EvaluationError, or rejects with one. Circumstances default to the current time and a random seed.
   */
  evaluate(input: unknown, bindings?: Bindings, options?: EvaluationOptions): MaybePromise<unknown>;
  /** Whether JSONata's $boolean of the value is true. Throws and rejects as `evaluate` does. */
  passes(input: unknown, bindings?: Bindings, options?: EvaluationOptions): MaybePromise<boolean>;
  /** Evaluates each part separately, for about two seconds in total. Never fails: parts carry their errors. */
  explain(input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>): Promise<Explanation>;
  /**
   * The conditions that tests should cover both true and false, in source order: the whole expression, operands of `and`
   * and `or`, comparisons, and anything else that is or is coerced to a boolean. Literals are excluded.
   */
  readonly conditions: readonly ExpressionCondition[];
  /**
   * Returns the outcomes of each of `conditions` in one evaluation, in their order. It evaluates as `evaluate` does, with
   * the same limits, but never fails because of the input: it returns what was observed before the failure, or nothing
   * if an isolated evaluation was killed.
   */
  observe(input: unknown, bindings?: Bindings, options?: EvaluationOptions): MaybePromise<readonly ObservedCondition[]>;
  /** The input paths that it reads and the constants in it, for generating inputs with different outcomes. */
  readonly vocabulary: Vocabulary;
  /** Releases the processes of isolated evaluations, after pending evaluations end. */
  close(): Promise<void>;
}

/** A part of an expression that is used as a condition, by JSONata's $boolean. */
export interface ExpressionCondition {
  /** The source text. */
  readonly source: string;
  /** Its start in the expression, in UTF-16 code units. */
  readonly offset: number;
}

/** Both are false if the evaluation never reached the condition; both can be true if it was evaluated several times. */
export interface ObservedCondition {
  readonly seenTrue: boolean;
  readonly seenFalse: boolean;
}

/** The paths and constants of an expression, at most a hundred of each. */
export interface Vocabulary {
  /** Members of the input that are read, from the root. Array items are not distinguished. */
  readonly paths: readonly (readonly string[])[];
  /** The literals, and for each regular expression a string that it matches. */
  readonly constants: readonly (string | number | boolean | null)[];
}

/** A plain JSON value. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue };

/** Why an expression has its value. It contains values of the input: show it only to readers who may see those. */
export interface Explanation extends ExplainedPart {
  readonly passes: boolean;
  /** The operands of the top-level `and`, at most a hundred; the expression itself if there is no `and`. */
  readonly conjuncts: readonly Conjunct[];
}

export interface Conjunct extends ExplainedPart {
  readonly passes: boolean;
  /** The comparison operator, e.g. `=` or `in`. */
  readonly operator?: string;
  readonly sides?: readonly [ExplainedPart, ExplainedPart];
}

/**
 * A part of an expression with its value, or with the code of the error that ended its evaluation. Parts not evaluated
 * within two seconds have a message instead of a code, and do not pass; so do nested parts that are too large.
 */
export interface ExplainedPart {
  readonly source: string;
  /** Without non-JSON values, except NaN and infinite numbers: absent for undefined and for functions. */
  readonly value?: PlainValue;
  readonly error?: string;
  /** What the code of the error means, in words. */
  readonly errorMessage?: string;
  /** Where in the whole expression it failed, in UTF-16 units. */
  readonly errorOffset?: number;
  /** Its operands and arguments, without literals, as deep as they are evaluated with the same context. */
  readonly parts?: readonly ExplainedPart[];
}
