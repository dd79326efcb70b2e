import { hash } from 'node:crypto';
import { plainHeaders } from '../config/link/written-uses.ts';
import type { LimitConfig, RunConcurrency } from '../config/model.ts';
import { callerBinding, type Exchange, eventBinding, requestBinding } from '../contract/index.ts';
import type { Place, Problem } from '../diagnostics/problem.ts';
import {
  type BindingNames,
  compileFilter,
  EvaluationError,
  ExpressionError,
  type FilterExpression,
  type PlainValue,
  toPlain,
} from '../filter/index.ts';
import type { WorkBudget } from '../work/work-budget.ts';

/** What an expression of `per` may read: of a limit of requests, whose bodies have not been read, the input is empty. */
export type LimitSubject = Pick<
  Exchange,
  'method' | 'query' | 'headers' | 'ip' | 'caller' | 'event' | 'input' | 'work' | 'receivedAt'
>;

/** What an expression of `per` finds in a request. A value that is absent or null is the empty text. */
export type LimitExpression = (subject: LimitSubject) => FoundValue;

export type FoundValue =
  | { readonly ok: true; readonly value: string }
  /** Contains no value of the body. */
  | { readonly ok: false; readonly message: string };

export interface CompiledLimit {
  readonly expression: LimitExpression | undefined;
  readonly findings: readonly Problem[];
}

/** The variables that it may read in addition to the input, by name without `$`. */
const variables: Readonly<Record<string, (subject: LimitSubject) => unknown>> = {
  // None of these headers carries a credential.
  request: (subject) => requestBinding(subject, plainHeaders),
  caller: ({ caller }) => callerBinding(caller, []),
  event: ({ event }) => eventBinding(event),
};

const shapes: BindingNames = {
  request: {
    members: { ...anything('method', 'ip', 'query'), headers: { members: anything(...plainHeaders) } },
  },
  caller: { members: anything('id') },
  event: { members: anything('name', 'id', 'time') },
};

function anything(...names: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

/** What counts or limits apart by a value of requests. */
export type PerValue = LimitConfig | RunConcurrency;

export type LimitExpressions = ReadonlyMap<PerValue, LimitExpression>;

/**
 * Compiles `per` of a limit, if it is an expression. Without one, and with findings, if it cannot be used.
 * @param owner what has the `per`, as the log names it
 */
export function limitExpression(
  { unit, per, place }: Pick<LimitConfig, 'unit' | 'per' | 'place'>,
  owner: string,
): CompiledLimit {
  if (per?.kind !== 'expression') return { expression: undefined, findings: [] };
  const at = { ...place, pointer: `${place.pointer}/per` };
  try {
    const compiled = compileFilter(per.expression, { bindings: shapes, purpose: 'value' });
    const refusal = refusalOf(compiled, unit);
    if (refusal !== undefined) {
      void compiled.close();
      return { expression: undefined, findings: [findingOf(refusal, 'error', at)] };
    }
    const warnings = [...compiled.warnings, ...misspelling(per.expression)];
    return {
      expression: evaluator(compiled, owner),
      findings: warnings.map((warning) => findingOf(warning, 'warning', at)),
    };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { expression: undefined, findings: error.problems.map((problem) => findingOf(problem, 'error', at)) };
  }
}

type Finding = ExpressionError['problems'][number];

function refusalOf(compiled: FilterExpression, unit: LimitConfig['unit']): Finding | undefined {
  if (compiled.mode === 'isolated') {
    const hint = 'Name the place of the value, e.g. customer.id.';
    return { message: `cannot be evaluated here: ${compiled.reason}`, hint };
  }
  if (compiled.constant !== undefined) {
    const hint = 'Name the place of the value, e.g. customer.id, or remove per to count everything together.';
    return { message: 'has the same value for every request', hint };
  }
  if (unit !== 'requests' || !readsInput(compiled)) return undefined;
  const hint = 'Read $request, $caller or $event, or count runs.';
  return { message: 'reads the body, before which requests are counted', hint };
}

/** Whether it reads the input: by the names in it or, as with `$` and `$$`, by what it makes of different inputs. */
function readsInput(compiled: FilterExpression): boolean {
  if (compiled.vocabulary.paths.length > 0) return true;
  const bindings = { request: { headers: {}, query: {} }, caller: {}, event: {} };
  const [one, other] = [{}, { probe: 'x' }].map((input) => {
    try {
      return JSON.stringify(toPlain(compiled.evaluate(input, bindings, { now: 0, seed: 0 })));
    } catch (error) {
      if (error instanceof EvaluationError) return error.code;
      throw error;
    }
  });
  return one !== other;
}

/** Words that are close to `key`, `ip`, `session`, `trigger` and `project`, and valid as names of members. */
const misspelt = /^(?:key|ip|session|trigger|project)s?$/i;

function misspelling(expression: string): readonly Finding[] {
  if (!misspelt.test(expression)) return [];
  const meant = expression.toLowerCase().replace(/s$/, '');
  const hint = `Did you mean ${meant}? For the member, write \`${expression}\` with its backticks.`;
  return [{ message: `"${expression}" is a member of the input`, hint }];
}

function evaluator(compiled: FilterExpression, owner: string): LimitExpression {
  const bound = Object.entries(variables).filter(([variable]) => compiled.variables.has(variable));
  const notEvaluated: FoundValue = { ok: false, message: `per of ${owner} cannot be evaluated here` };
  return (subject) => {
    const { input, work, receivedAt } = subject;
    const bindings = Object.fromEntries(bound.map(([variable, bind]) => [variable, bind(subject)]));
    try {
      const value = compiled.evaluate(input, bindings, { now: receivedAt, seed: 0, budget: work });
      return { ok: true, value: textOf(value, work) };
    } catch (error) {
      if (error instanceof EvaluationError) return notEvaluated;
      throw error;
    }
  };
}

/** The longest text that is kept as it is; of a longer one, a digest is. */
const longest = 128;
/** Characters that are digested in the time of one unit of work. */
const digestedPerUnit = 16;

function textOf(value: unknown, work: WorkBudget): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : canonical(toPlain(value, work), work);
  if (text.length <= longest) return text;
  work.spend(text.length / digestedPerUnit);
  return `sha256:${hash('sha256', text)}`;
}

/** JSON in which the order of members does not count. */
function canonical(value: PlainValue | undefined, work: WorkBudget): string {
  // A function has no value.
  if (value === undefined) return '';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map((item) => canonical(item, work)).join(',')}]`;
  const members = Object.entries(value);
  work.spend(members.length * Math.log2(members.length + 1));
  members.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member, work)}`).join(',')}}`;
}

function isList(value: PlainValue): value is readonly PlainValue[] {
  return Array.isArray(value);
}

function findingOf({ message, hint, offset }: Finding, severity: Problem['severity'], at: Place): Problem {
  return {
    code: severity === 'error' ? 'bad_option' : 'option_warning',
    severity,
    message,
    ...(hint !== undefined && { hint }),
    place: { ...at, ...(offset !== undefined && { offset }) },
  };
}
