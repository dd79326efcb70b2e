import type { ExpressionProblem } from './expression-error.ts';
import type { Bindings, Circumstances } from './limits.ts';

/** A value, or a promise of one where an evaluation is isolated. */
export type MaybePromise<T> = T | Promise<T>;

/** An expression that is ready to be evaluated, any number of times, also at the same time. */
export interface FilterExpression {
  /** `compiled`: evaluated here and at once. `isolated`: by the reference interpreter in a process of its own. */
  readonly mode: 'compiled' | 'isolated';
  /** Why it is isolated. */
  readonly reason?: string;
  /** What is allowed in an expression, but surely not meant. */
  readonly warnings: readonly ExpressionProblem[];
  /** Names of the variables that it reads, without `$`, also those that it binds itself. */
  readonly variables: ReadonlySet<string>;
  /**
   * Gives the expression's value for an input, as JSONata does: arrays may carry JSONata's marks, and functions are no
   * JSON. Throws an EvaluationError, or rejects with one. The circumstances default to the time of day and chance.
   */
  evaluate(input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>): MaybePromise<unknown>;
  /** Whether JSONata's $boolean of the value is true. Throws and rejects as `evaluate`. */
  passes(input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>): MaybePromise<boolean>;
  /** Evaluates each part on its own. Never rejects with an EvaluationError: parts carry their errors. */
  explain(input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>): Promise<Explanation>;
  /** Lets go of the processes that isolated evaluations need. What is under way ends first. */
  close(): Promise<void>;
}

/** Why an expression came to what it did. It holds values of the input: it is for those who may see them. */
export interface Explanation extends ExplainedPart {
  readonly passes: boolean;
  /** What `and` joins at the top level; the expression itself if it joins nothing. */
  readonly conjuncts: readonly Conjunct[];
}

export interface Conjunct extends ExplainedPart {
  readonly passes: boolean;
  /** The operator between the two sides of a comparison, e.g. `=` or `in`. */
  readonly operator?: string;
  readonly sides?: readonly [ExplainedPart, ExplainedPart];
}

/** A part of an expression with its value, or with the code of the error that its evaluation ended in. */
export interface ExplainedPart {
  readonly source: string;
  readonly value?: unknown;
  readonly error?: string;
}
