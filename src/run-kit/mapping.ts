import {
  type FailedRunResult,
  type JsonObject,
  type JsonValue,
  type MaybePromise,
  OptionsError,
  type PluginContext,
  type RunIdentity,
  type RunOrigin,
  type WorkBudget,
} from '../contract/index.ts';
import {
  type BindingNames,
  type BindingShape,
  type Bindings,
  compileFilter,
  compileTemplate,
  describeErrorCode,
  EvaluationError,
  ExpressionError,
  type ExpressionProblem,
  NoWorkerError,
  toPlain,
} from '../filter/index.ts';
import { failed } from './failures.ts';
import { isObject } from './members.ts';

/**
 * What JSONata in the options of run plugins may read in addition to its input: `$run` (id, project, trigger, caller,
 * sessionId, conversation, attempt), `$input` (the input of the run), `$request`, `$caller`, `$event`, and what the plugin adds.
 */
const shapes: Readonly<Record<string, BindingShape>> = {
  run: {
    members: {
      ...{ id: {}, project: {}, trigger: {}, caller: {}, sessionId: {}, conversation: {}, attempt: {} },
    },
  },
  input: {},
  request: { members: { method: {}, headers: {}, query: {}, ip: {} } },
  caller: { members: { id: {}, claims: {} } },
  event: { members: { name: {}, id: {}, time: {} } },
};

/**
 * A mapping may build a result as long as its input, unlike a filter. The attempt pays for evaluating it and for writing its
 * result.
 */
const limits = { timeoutMs: 1_000, maxSequence: 1_000_000 };

/** The value of an expression, or the failure of the run if it cannot be evaluated. */
export type Mapped<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: FailedRunResult };

/** A compiled expression of the options. A value of undefined is JSONata's "nothing". */
export interface Mapping<Value> {
  apply(input: JsonValue, run: RunIdentity, bindings?: Bindings): Promise<Mapped<Value>>;
}

/**
 * Compiles a JSONata expression of the options. Throws an OptionsError.
 * @param pointer JSON pointer (RFC 6901) of the option
 * @param additional names of the bindings that `apply` is given
 */
export function createMapping(
  context: PluginContext,
  pointer: string,
  source: string,
  additional: readonly string[] = [],
): Mapping<JsonValue | undefined> {
  return ready(context, pointer, () =>
    compileValue(source, { ...shapes, ...Object.fromEntries(additional.map((name) => [name, {}])) }),
  );
}

/** Compiles an expression that must return an object; refuses one that never does. Throws an OptionsError. */
export function createObjectMapping(context: PluginContext, pointer: string, source: string): Mapping<JsonObject> {
  const mapping = ready(context, pointer, () => {
    const compiled = compileValue(source, shapes);
    const { constant } = compiled.expression;
    if (constant !== undefined && !isObject(constant.value)) {
      throw new ExpressionError([{ message: 'must return an object, and never does', offset: 0 }]);
    }
    return compiled;
  });
  return {
    async apply(...given) {
      const mapped = await mapping.apply(...given);
      if (!mapped.ok) return mapped;
      const { value } = mapped;
      if (isObject(value)) return { ok: true, value };
      const message = `the expression of ${optionAt(pointer)} returned something that is not an object`;
      return { ok: false, failure: failed(message) };
    },
  };
}

/** Compiles a text of the options with `{{ expression }}` in it. Throws an OptionsError. */
export function createTemplate(context: PluginContext, pointer: string, source: string): Mapping<string> {
  return ready(context, pointer, () => {
    const template = compileTemplate(source, { limits, bindings: shapes, purpose: 'value' });
    return {
      ...template,
      evaluate: (input: JsonValue, given: Bindings, budget: WorkBudget) => template.render(input, given, { budget }),
    };
  });
}

function compileValue(source: string, bindings: BindingNames) {
  const expression = compileFilter(source, { limits, bindings, purpose: 'value' });
  return {
    expression,
    warnings: expression.warnings,
    close: () => expression.close(),
    async evaluate(input: JsonValue, given: Bindings, budget: WorkBudget): Promise<JsonValue | undefined> {
      return toPlain(await expression.evaluate(input, given, { budget }), budget);
    },
  };
}

interface Compiled<Value> {
  readonly warnings: readonly ExpressionProblem[];
  evaluate(input: JsonValue, bindings: Bindings, budget: WorkBudget): MaybePromise<Value>;
  close(): Promise<void>;
}

function ready<Value>(context: PluginContext, pointer: string, compile: () => Compiled<Value>): Mapping<Value> {
  const { warnings, evaluate, close } = compileOrRefuse(pointer, compile);
  context.onClose(close);
  for (const warning of warnings) context.report({ severity: 'warning', pointer, ...warning });
  return {
    async apply(input, { input: runInput, sessionId, conversation, work, ...rest }, bindings) {
      const { id, project, trigger, caller, attempt, origin = unknownOrigin(caller) } = rest;
      const session = {
        ...(sessionId !== undefined && { sessionId }),
        ...(conversation !== undefined && { conversation }),
      };
      const run = { id, project, trigger, caller, attempt, ...session };
      try {
        return { ok: true, value: await evaluate(input, { run, input: runInput, ...origin, ...bindings }, work) };
      } catch (error) {
        return { ok: false, failure: failureOf(pointer, error) };
      }
    },
  };
}

/** Of a run that an earlier version accepted. */
function unknownOrigin(id: string): RunOrigin {
  return { request: { method: 'POST', headers: {}, query: {}, ip: '' }, caller: { id, claims: {} }, event: {} };
}

function compileOrRefuse<Value>(pointer: string, compile: () => Compiled<Value>): Compiled<Value> {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new OptionsError(error.problems.map((problem) => ({ pointer, ...problem })));
  }
}

/** JSONata's messages repeat values, so that only code and position are reported. */
function failureOf(pointer: string, error: unknown): FailedRunResult {
  if (error instanceof NoWorkerError) {
    return failed(`the expression of ${optionAt(pointer)} was not evaluated: ${error.message}`, true);
  }
  if (!(error instanceof EvaluationError)) throw error;
  return failed(error.details.isResult === true ? tooLarge(pointer, error) : failureText(pointer, error));
}

function tooLarge(pointer: string, { code }: EvaluationError): string {
  const limit = code === 'D1011' ? 'it is nested too deeply' : 'writing it exceeds the work limit';
  return `the result of the expression of ${optionAt(pointer)} is too large: ${limit} (JSONata error ${code})`;
}

function failureText(pointer: string, { code, position, details }: EvaluationError): string {
  const at = position === undefined ? '' : ` at position ${position}`;
  const limit = details.isOutOfTime === true ? 'it takes too long, ' : 'it exceeds the work limit, ';
  const reason = code === 'D1012' ? limit : '';
  const words = code === 'D1012' ? '' : `: ${describeErrorCode(code)}`;
  return `the expression of ${optionAt(pointer)} failed: ${reason}JSONata error ${code}${at}${words}`;
}

function optionAt(pointer: string): string {
  return pointer.slice(1).replaceAll('/', '.');
}
