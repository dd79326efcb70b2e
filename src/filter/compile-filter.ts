import { compileExpression } from './compiler/compile.ts';
import type { Evaluator } from './compiler/evaluator.ts';
import { constantProblem } from './constant.ts';
import { Evaluation, noBindings, randomSeed } from './evaluation.ts';
import { toEvaluationError } from './evaluation-error.ts';
import { explain } from './explain.ts';
import type { ExpressionProblem } from './expression-error.ts';
import type { FilterExpression } from './filter-expression.ts';
import { IsolatedExpression } from './isolation/isolated-expression.ts';
import { builtIns } from './library/built-ins.ts';
import { type Bindings, type Circumstances, defaultLimits, type FilterLimits } from './limits.ts';
import { type Node, NotCompilable } from './node.ts';
import { offsetOfToken, parse } from './parse.ts';
import { isTruthy, type MarkedArray, sequenceOf } from './value.ts';

export interface CompileOptions {
  readonly limits?: Partial<FilterLimits>;
  /** Names of all bindings that evaluations will be given: then other variables that nothing binds are warned of. */
  readonly bindings?: readonly string[];
}

/**
 * Makes a JSONata expression ready to be evaluated. What provably ends in time linear in the size of the input (n log n
 * where it sorts) is compiled to closures; everything else is left to the reference interpreter in processes that can
 * be ended. Throws an ExpressionError if it cannot be used at all.
 */
export function compileFilter(source: string, options: CompileOptions = {}): FilterExpression {
  const { root, nodes } = parse(source);
  const limits: FilterLimits = { ...defaultLimits, ...options.limits };
  const shared: Shared = {
    warnings: warningsOf(source, root, nodes, options.bindings),
    variables: variablesOf(nodes),
    explain: (...given) => explain((part) => compileFilter(part, options), source, root, given),
  };
  const compiled = tryCompile(root);
  return typeof compiled === 'function'
    ? new CompiledExpression(shared, compiled, limits)
    : new IsolatedFilter(shared, compiled.reason, new IsolatedExpression(source, limits));
}

type Shared = Pick<FilterExpression, 'warnings' | 'variables' | 'explain'>;

function tryCompile(root: Node): Evaluator | { readonly reason: string } {
  try {
    return compileExpression(root);
  } catch (error) {
    if (error instanceof NotCompilable) return { reason: error.message };
    if (error instanceof RangeError) return { reason: 'it is nested too deeply' };
    throw error;
  }
}

class CompiledExpression implements FilterExpression {
  readonly mode = 'compiled';
  readonly warnings: FilterExpression['warnings'];
  readonly variables: FilterExpression['variables'];
  readonly explain: FilterExpression['explain'];
  readonly #evaluator: Evaluator;
  readonly #limits: FilterLimits;
  /** One that no evaluation uses: they come one after the other, unless a getter of an input starts one. */
  #spare: Evaluation | undefined;

  constructor(shared: Shared, evaluator: Evaluator, limits: FilterLimits) {
    this.warnings = shared.warnings;
    this.variables = shared.variables;
    this.explain = shared.explain;
    this.#evaluator = evaluator;
    this.#limits = limits;
  }

  evaluate(input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>): unknown {
    return this.#run(input, bindings, circumstances, false);
  }

  passes(input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>): boolean {
    return this.#run(input, bindings, circumstances, true) === true;
  }

  async close(): Promise<void> {}

  #run(
    input: unknown,
    bindings = noBindings,
    circumstances: Partial<Circumstances> | undefined,
    asBoolean: boolean,
  ): unknown {
    const run = this.#spare ?? new Evaluation(this.#limits);
    this.#spare = undefined;
    run.begin(input, bindings, circumstances);
    try {
      const value = this.#evaluator(run, Array.isArray(input) ? wrapped(input) : input, undefined);
      return asBoolean && typeof value !== 'boolean' ? isTruthy(run, value) : value;
    } catch (error) {
      throw toEvaluationError(error);
    } finally {
      run.end();
      this.#spare = run;
    }
  }
}

class IsolatedFilter implements FilterExpression {
  readonly mode = 'isolated';
  readonly reason: string;
  readonly warnings: FilterExpression['warnings'];
  readonly variables: FilterExpression['variables'];
  readonly explain: FilterExpression['explain'];
  readonly #expression: IsolatedExpression;

  constructor(shared: Shared, reason: string, expression: IsolatedExpression) {
    this.reason = reason;
    this.warnings = shared.warnings;
    this.variables = shared.variables;
    this.explain = shared.explain;
    this.#expression = expression;
  }

  evaluate(input: unknown, bindings = noBindings, circumstances?: Partial<Circumstances>): Promise<unknown> {
    return this.#expression.evaluate('value', input, bindings, circumstancesOf(circumstances));
  }

  async passes(input: unknown, bindings = noBindings, circumstances?: Partial<Circumstances>): Promise<boolean> {
    return (await this.#expression.evaluate('boolean', input, bindings, circumstancesOf(circumstances))) === true;
  }

  close(): Promise<void> {
    return this.#expression.close();
  }
}

function circumstancesOf(given: Partial<Circumstances> = {}): Circumstances {
  return { now: given.now ?? Date.now(), seed: given.seed ?? randomSeed() };
}

/** An input that is an array is looked at as one value. */
function wrapped(input: unknown[]): MarkedArray {
  const outer = sequenceOf(input);
  outer.outerWrapper = true;
  return outer;
}

function variablesOf(nodes: readonly Node[]): Set<string> {
  const names = new Set<string>();
  for (const { type, value } of nodes) {
    if (type === 'variable' && value !== '' && value !== '$') names.add(String(value));
  }
  return names;
}

function warningsOf(
  source: string,
  root: Node,
  nodes: readonly Node[],
  bindings: readonly string[] | undefined,
): ExpressionProblem[] {
  const constant = constantProblem(source, root);
  const warnings = constant === undefined ? [] : [constant];
  if (bindings === undefined) return warnings;
  const told = new Set<string>();
  let bound: Set<string> | undefined;
  for (const { type, value, position } of nodes) {
    const name = String(value);
    if (type !== 'variable' || name === '' || name === '$' || told.has(name)) continue;
    if (builtIns.has(name) || bindings.includes(name)) continue;
    bound ??= boundAnywhere(nodes);
    if (bound.has(name)) continue;
    told.add(name);
    warnings.push({
      message: `$${name} is nothing: no such variable or function`,
      hint: `The variables here are ${bindings.map((binding) => `$${binding}`).join(', ')}.`,
      ...offsetOfToken(source, position, `$${name}`),
    });
  }
  return warnings;
}

function boundAnywhere(nodes: readonly Node[]): Set<string> {
  const names = nodes.flatMap((node) => {
    if (node.type === 'bind') return [(node.lhs as Node).value];
    // Steps of a path may be bound to a variable with `@` and `#`.
    const { focus, index } = node as { focus?: unknown; index?: unknown };
    const parameters = node.type === 'lambda' ? (node.arguments ?? []) : [];
    return [...parameters.map(({ value }) => value), focus, index];
  });
  return new Set(names.map(String));
}
