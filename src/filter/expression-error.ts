/** A fault of an expression, and where it begins in it. */
export interface ExpressionProblem {
  readonly message: string;
  /** In UTF-16 units from the start of the expression. */
  readonly offset?: number;
  /** What to do about it. */
  readonly hint?: string;
}

/** An expression that cannot be used: no JSONata, `$eval`, or a regular expression that RE2 does not know. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly problems: readonly ExpressionProblem[];

  constructor(problems: readonly ExpressionProblem[]) {
    super(problems.map(({ message }) => message).join('; '));
    this.problems = problems;
  }
}
