/**
 * An evaluation that failed. `code` is the one that JSONata gives (T2009, D3030 …); `position` is where the token that
 * failed ends in the expression, and `token` the token itself, as JSONata tells them.
 */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
  readonly code: string;
  position: number | undefined;
  token: string | undefined;
  /** Values of the evaluation that JSONata tells with some codes. They may hold parts of the input. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, details: Readonly<Record<string, unknown>> = {}, position?: number, token?: string) {
    super(code);
    this.code = code;
    this.details = details;
    this.position = position;
    this.token = token;
  }
}

/** Whatever is thrown while evaluating, as an EvaluationError: JSONata throws plain objects. */
export function toEvaluationError(thrown: unknown): EvaluationError {
  if (thrown instanceof EvaluationError) return thrown;
  // A stack that overflowed is an evaluation that nests too deeply, and a string or array can outgrow what V8 takes.
  if (thrown instanceof RangeError) return new EvaluationError(/stack/.test(thrown.message) ? 'D1011' : 'D2015');
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string') {
    const { code, position, token, stack: _stack, ...details } = thrown as { code: string } & Record<string, unknown>;
    return new EvaluationError(
      code,
      details,
      typeof position === 'number' ? position : undefined,
      typeof token === 'string' ? token : undefined,
    );
  }
  // The reference falls over some arguments that its signatures let through.
  return new EvaluationError('T0410');
}
