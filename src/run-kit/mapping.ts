import {
  type FailedRunResult,
  type JsonObject,
  type JsonValue,
  type MaybePromise,
  OptionsError,
  type PluginContext,
  type RunIdentity,
} from '../contract/index.ts';
import {
  type Bindings,
  compileFilter,
  compileTemplate,
  EvaluationError,
  ExpressionError,
  type ExpressionProblem,
  toPlain,
} from '../filter/index.ts';
import { failed } from './failures.ts';
import { isObject } from './members.ts';

/**
 * What JSONata in the options of run plugins may read in addition to its input: `$run` (id, project, trigger, caller,
 * sessionId, conversation, attempt), `$input` (the input of the run), and what the plugin adds.
 */
const bindingNames = ['run', 'input'];

/** Wider than those of filters: agents answer at length, and an answer is mapped once. */
const limits = { timeoutMs: 1_000, maxSteps: 5_000_000, maxSequence: 1_000_000 };

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
  return ready(context, pointer, () => compileValue(source, [...bindingNames, ...additional]));
}

/** Compiles an expression that must return an object; refuses one that never does. Throws an OptionsError. */
export function createObjectMapping(context: PluginContext, pointer: string, source: string): Mapping<JsonObject> {
  const mapping = ready(context, pointer, () => {
    const compiled = compileValue(source, bindingNames);
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
    const template = compileTemplate(source, { limits, bindings: bindingNames, purpose: 'value' });
    return { ...template, evaluate: template.render };
  });
}

function compileValue(source: string, bindings: readonly string[]) {
  const expression = compileFilter(source, { limits, bindings, purpose: 'value' });
  return {
    expression,
    warnings: expression.warnings,
    close: () => expression.close(),
    evaluate: async (input: JsonValue, given: Bindings) => toPlain(await expression.evaluate(input, given)),
  };
}

interface Compiled<Value> {
  readonly warnings: readonly ExpressionProblem[];
  evaluate(input: JsonValue, bindings: Bindings): MaybePromise<Value>;
  close(): Promise<void>;
}

function ready<Value>(context: PluginContext, pointer: string, compile: () => Compiled<Value>): Mapping<Value> {
  const { warnings, evaluate, close } = compileOrRefuse(pointer, compile);
  context.onClose(close);
  for (const warning of warnings) context.report({ severity: 'warning', pointer, ...warning });
  return {
    async apply(input, { input: runInput, sessionId, conversation, ...rest }, bindings) {
      const { id, project, trigger, caller, attempt } = rest;
      const session = {
        ...(sessionId !== undefined && { sessionId }),
        ...(conversation !== undefined && { conversation }),
      };
      const run = { id, project, trigger, caller, attempt, ...session };
      try {
        return { ok: true, value: await evaluate(input, { run, input: runInput, ...bindings }) };
      } catch (error) {
        return { ok: false, failure: failureOf(pointer, error) };
      }
    },
  };
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
  if (!(error instanceof EvaluationError)) throw error;
  const at = error.position === undefined ? '' : ` at position ${error.position}`;
  return failed(`the expression of ${optionAt(pointer)} failed: JSONata error ${error.code}${at}`);
}

function optionAt(pointer: string): string {
  return pointer.slice(1).replaceAll('/', '.');
}
