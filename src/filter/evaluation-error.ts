import { WorkExhausted } from '../work/work-budget.ts';

/**
 * A failed evaluation. `code` is JSONata's error code (T2009, D3030 …); `token` is the token that failed and `position`
 * the offset of its end in the expression, as JSONata reports them.
 */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
  readonly code: string;
  position: number | undefined;
  token: string | undefined;
  /** Values that JSONata attaches to some codes. They may contain parts of the input. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, details: Readonly<Record<string, unknown>> = {}, position?: number, token?: string) {
    super(code);
    this.code = code;
    this.details = details;
    this.position = position;
    this.token = token;
  }
}

/** Converts anything thrown by an evaluation to an EvaluationError: JSONata throws plain objects. */
export function toEvaluationError(thrown: unknown): EvaluationError {
  if (thrown instanceof EvaluationError) return thrown;
  if (WorkExhausted.is(thrown)) return new EvaluationError('D1012');
  // A stack overflow means that the evaluation nests too deeply; otherwise a string or array exceeded V8's limit.
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
  // The reference crashes on some arguments that its signatures accept.
  return new EvaluationError('T0410');
}
