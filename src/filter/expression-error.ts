/** A problem in an expression, and where it starts. */
export interface ExpressionProblem {
  readonly message: string;
  /** In UTF-16 units from the start of the expression. */
  readonly offset?: number;
  /** How to fix it. */
  readonly hint?: string;
}

/** An unusable expression: invalid JSONata, `$eval`, or a regular expression that cannot be matched in linear time. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly problems: readonly ExpressionProblem[];

  constructor(problems: readonly ExpressionProblem[]) {
    super(problems.map(({ message }) => message).join('; '));
    this.problems = problems;
  }
}
