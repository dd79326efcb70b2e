import type { BodyConfig } from '../config/model.ts';
import { callerBinding, type Exchange, eventBinding, requestBinding, WorkExhausted } from '../contract/index.ts';
import type { Place, Problem } from '../diagnostics/problem.ts';
import { compileFilter, EvaluationError, ExpressionError } from '../filter/index.ts';

/** Where the sessionId of a trigger's requests stands: `body.session`. */
export type SessionExpression = (exchange: Exchange) => FoundSession;

export type FoundSession =
  | { readonly ok: true; readonly sessionId: string | undefined }
  /** Contains no value of the body. */
  | { readonly ok: false; readonly message: string };

export interface CompiledSession {
  readonly expression: SessionExpression | undefined;
  readonly findings: readonly Problem[];
}

/** The variables that it may read in addition to the body, by name without `$`. */
const variables: Readonly<Record<string, (exchange: Exchange) => unknown>> = {
  request: (exchange) => requestBinding(exchange, []),
  caller: ({ caller }) => callerBinding(caller, []),
  event: ({ event }) => eventBinding(event),
};

/** Compiles `body.session`. Without an expression, and with findings, if it cannot be used. */
export function sessionExpression({ session, place }: BodyConfig): CompiledSession {
  if (session === undefined || place === undefined) return { expression: undefined, findings: [] };
  const at = { ...place, pointer: `${place.pointer}/session` };
  const refuse = (message: string, hint: string): CompiledSession => ({
    expression: undefined,
    findings: [findingOf({ message, hint }, 'error', at)],
  });
  try {
    const compiled = compileFilter(session, { bindings: Object.keys(variables), purpose: 'value' });
    if (compiled.mode === 'isolated') {
      void compiled.close();
      return refuse(`cannot be evaluated here: ${compiled.reason}`, 'Name the place of the id, e.g. event.thread_ts.');
    }
    if (compiled.constant !== undefined) {
      const hint = 'All requests would be one conversation. Name the place of the id, e.g. event.thread_ts.';
      return refuse('has the same value for every request', hint);
    }
    const bound = Object.entries(variables).filter(([name]) => compiled.variables.has(name));
    return {
      findings: compiled.warnings.map((warning) => findingOf(warning, 'warning', at)),
      expression: (exchange) => {
        const { input, work, receivedAt } = exchange;
        const bindings = Object.fromEntries(bound.map(([name, bind]) => [name, bind(exchange)]));
        try {
          const value = compiled.evaluate(input, bindings, { now: receivedAt, seed: 0, budget: work });
          return sessionOf(value, exchange);
        } catch (error) {
          if (error instanceof EvaluationError || WorkExhausted.is(error)) return notEvaluated;
          throw error;
        }
      },
    };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { expression: undefined, findings: error.problems.map((problem) => findingOf(problem, 'error', at)) };
  }
}

function findingOf(
  { message, hint, offset }: ExpressionError['problems'][number],
  severity: Problem['severity'],
  at: Place,
): Problem {
  return {
    code: severity === 'error' ? 'bad_option' : 'option_warning',
    severity,
    message,
    ...(hint !== undefined && { hint }),
    place: { ...at, ...(offset !== undefined && { offset }) },
  };
}

const notEvaluated: FoundSession = { ok: false, message: 'body.session cannot be evaluated for this body' };
const notAnId: FoundSession = { ok: false, message: 'body.session must be a string of 1 to 256 characters' };
const noSession: FoundSession = { ok: true, sessionId: undefined };

/** The longest sessionId, in UTF-16 units. */
const longest = 256;

function sessionOf(value: unknown, exchange: Exchange): FoundSession {
  if (value === undefined || value === null) return noSession;
  const text = typeof value === 'number' ? numberText(value, exchange) : value;
  return typeof text === 'string' && text.length >= 1 && text.length <= longest
    ? { ok: true, sessionId: text }
    : notAnId;
}

/** A number that has lost digits names no conversation: two would be taken for one. */
function numberText(value: number, { hasLostDigits }: Exchange): string | undefined {
  const isUnsafe = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isUnsafe || hasLostDigits?.(value) === true ? undefined : String(value);
}
