import type { BindingNames } from './advice/binding-shape.ts';
import { compileExpression } from './compiler/compile.ts';
import type { Evaluator } from './compiler/evaluator.ts';
import type { Purpose } from './constant.ts';
import { Evaluation, noBindings, randomSeed } from './evaluation.ts';
import { EvaluationError, toEvaluationError } from './evaluation-error.ts';
import type { FilterExpression, ObservedCondition } from './filter-expression.ts';
import { IsolatedExpression } from './isolation/isolated-expression.ts';
import type { Watch } from './isolation/protocol.ts';
import {
  type Bindings,
  type Circumstances,
  defaultLimits,
  type EvaluationOptions,
  type FilterLimits,
} from './limits.ts';
import { type Node, NotCompilable } from './node.ts';
import { parse } from './parse.ts';
import { type Parsed, ParsedExpression } from './parsed-expression.ts';
import type { Observe } from './review/observe.ts';
import { contextOf, isTruthy } from './value.ts';
import { variablesOf, warningsOf } from './warnings.ts';

export interface CompileOptions {
  readonly limits?: Partial<FilterLimits>;
  /**
   * All bindings that evaluations receive, by name or with their members. If given, what an expression cannot mean is
   * reported: another unbound variable, a member that a binding never has, a call of something that is no function.
   */
  readonly bindings?: BindingNames;
  /** `value`: the expression is used for its result, so a constant one may be intended. Default: `filter`. */
  readonly purpose?: Purpose;
}

/**
 * Compiles a JSONata expression. If it provably runs in time linear in the size of the input (n log n where it sorts), it
 * becomes closures; everything else runs on the reference interpreter in sandboxed processes that can be killed. Throws
 * an ExpressionError if the expression is unusable.
 */
export function compileFilter(source: string, options: CompileOptions = {}): FilterExpression {
  const { root, nodes } = parse(source);
  const limits: FilterLimits = { ...defaultLimits, ...options.limits };
  const parsed: Parsed = {
    source,
    root,
    warnings: warningsOf(source, root, nodes, options.bindings, options.purpose ?? 'filter'),
    variables: variablesOf(nodes),
    compilePart: (part) => compileFilter(part, options),
  };
  const compiled = tryCompile(root);
  return typeof compiled === 'function'
    ? new CompiledExpression(parsed, compiled, limits)
    : new IsolatedFilter(parsed, compiled.reason, new IsolatedExpression(source, limits));
}

function tryCompile(root: Node): Evaluator | { readonly reason: string } {
  try {
    return compileExpression(root);
  } catch (error) {
    if (error instanceof NotCompilable) return { reason: error.message };
    if (error instanceof RangeError) return { reason: 'it is nested too deeply' };
    throw error;
  }
}

class CompiledExpression extends ParsedExpression implements FilterExpression {
  readonly mode = 'compiled';
  readonly #evaluator: Evaluator;
  readonly #limits: FilterLimits;
  /** An evaluation not in use. One is enough unless a getter of the input starts a nested evaluation. */
  #spare: Evaluation | undefined;
  #observe: Observe | undefined;

  constructor(parsed: Parsed, evaluator: Evaluator, limits: FilterLimits) {
    super(parsed);
    this.#evaluator = evaluator;
    this.#limits = limits;
  }

  evaluate(input: unknown, bindings?: Bindings, options?: EvaluationOptions): unknown {
    return this.#run(input, bindings, options, false);
  }

  passes(input: unknown, bindings?: Bindings, options?: EvaluationOptions): boolean {
    return this.#run(input, bindings, options, true) === true;
  }

  observe(input: unknown, bindings = noBindings, options?: EvaluationOptions): readonly ObservedCondition[] {
    this.#observe ??= this.compileObserver(this.#limits);
    return this.#observe(input, bindings, options);
  }

  async close(): Promise<void> {}

  #run(input: unknown, bindings = noBindings, options: EvaluationOptions | undefined, asBoolean: boolean): unknown {
    const run = this.#spare ?? new Evaluation(this.#limits);
    this.#spare = undefined;
    run.begin(input, bindings, options);
    try {
      const value = this.#evaluator(run, contextOf(input), undefined);
      return asBoolean && typeof value !== 'boolean' ? isTruthy(run, value) : value;
    } catch (error) {
      throw toEvaluationError(error);
    } finally {
      run.end();
      this.#spare = run;
    }
  }
}

class IsolatedFilter extends ParsedExpression implements FilterExpression {
  readonly mode = 'isolated';
  readonly reason: string;
  readonly #expression: IsolatedExpression;
  #watch: Watch | undefined;

  constructor(parsed: Parsed, reason: string, expression: IsolatedExpression) {
    super(parsed);
    this.reason = reason;
    this.#expression = expression;
  }

  evaluate(input: unknown, bindings = noBindings, options?: EvaluationOptions): Promise<unknown> {
    return this.#expression.evaluate('value', input, bindings, circumstancesOf(options));
  }

  async passes(input: unknown, bindings = noBindings, options?: EvaluationOptions): Promise<boolean> {
    return (await this.#expression.evaluate('boolean', input, bindings, circumstancesOf(options))) === true;
  }

  async observe(
    input: unknown,
    bindings = noBindings,
    options?: EvaluationOptions,
  ): Promise<readonly ObservedCondition[]> {
    try {
      this.#watch ??= this.watch();
      const given = [input, bindings, circumstancesOf(options)] as const;
      return (await this.#expression.evaluate(this.#watch, ...given)) as readonly ObservedCondition[];
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      // Its process was killed or did not start, so nothing was observed.
      return this.conditions.map(() => ({ seenTrue: false, seenFalse: false }));
    }
  }

  close(): Promise<void> {
    return this.#expression.close();
  }
}

function circumstancesOf(given: Partial<Circumstances> = {}): Circumstances {
  return { now: given.now ?? Date.now(), seed: given.seed ?? randomSeed() };
}
