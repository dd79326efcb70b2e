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
  /** What it comes to whatever it is given, as JSON, if that can be told beforehand. `undefined` in it is nothing. */
  readonly constant: { readonly value: unknown } | undefined;
  /** Names of the variables that it reads, without `$`, also those that it binds itself. */
  readonly variables: ReadonlySet<string>;
  /**
   * Gives the expression's value for an input, as JSONata does: arrays may carry JSONata's marks, and functions are no
   * JSON. Throws an EvaluationError, or rejects with one. The circumstances default to the time of day and chance.
   */
  evaluate(input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>): MaybePromise<unknown>;
  /** Whether JSONata's $boolean of the value is true. Throws and rejects as `evaluate`. */
  passes(input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>): MaybePromise<boolean>;
  /** Evaluates each part on its own, for two seconds or so in all. Never fails: parts carry their errors. */
  explain(input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>): Promise<Explanation>;
  /**
   * What should be seen both true and false before one trusts the expression, in the order of its source: the whole,
   * what `and` and `or` join, comparisons, and all else that is a boolean or taken for one. Literals are none.
   */
  readonly conditions: readonly ExpressionCondition[];
  /**
   * Tells how each of `conditions` came out in one evaluation, in their order. It evaluates as `evaluate` does, with the
   * same limits, but never fails for what the input is: then it tells what was seen until it failed; of an isolated
   * evaluation that had to be killed, nothing.
   */
  observe(
    input: unknown,
    bindings?: Bindings,
    circumstances?: Partial<Circumstances>,
  ): MaybePromise<readonly ObservedCondition[]>;
  /** What it reads of its input and compares with: for making up inputs that it tells apart. */
  readonly vocabulary: Vocabulary;
  /** Lets go of the processes that isolated evaluations need. What is under way ends first. */
  close(): Promise<void>;
}

/** A part of an expression whose value decides something, by JSONata's $boolean. */
export interface ExpressionCondition {
  /** As written. */
  readonly source: string;
  /** Where in the expression it begins, in UTF-16 units. */
  readonly offset: number;
}

/** Both are false for what the evaluation never came to; both true for what it came to more than once. */
export interface ObservedCondition {
  readonly seenTrue: boolean;
  readonly seenFalse: boolean;
}

/** The words of an expression; no more than a hundred of each sort. */
export interface Vocabulary {
  /** Members of the input that are read, from the root. Items of arrays are not told apart. */
  readonly paths: readonly (readonly string[])[];
  /** The literals, and for a regular expression a text that it matches. */
  readonly constants: readonly (string | number | boolean | null)[];
}

/** JSON, and nothing else. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue };

/** Why an expression came to what it did. It holds values of the input: it is for those who may see them. */
export interface Explanation extends ExplainedPart {
  readonly passes: boolean;
  /** What `and` joins at the top level, the first hundred of it; the expression itself if it joins nothing. */
  readonly conjuncts: readonly Conjunct[];
}

export interface Conjunct extends ExplainedPart {
  readonly passes: boolean;
  /** The operator between the two sides of a comparison, e.g. `=` or `in`. */
  readonly operator?: string;
  readonly sides?: readonly [ExplainedPart, ExplainedPart];
}

/**
 * A part of an expression with its value, or with the code of the error that its evaluation ended in. Parts that are
 * still left after two seconds have words instead of a code, and do not pass.
 */
export interface ExplainedPart {
  readonly source: string;
  /** Without what is no JSON: left out for nothing and for functions. */
  readonly value?: PlainValue;
  readonly error?: string;
}
