import { compileExpression } from './compiler/compile.ts';
import { describeErrorCode } from './error-words.ts';
import { Evaluation, noBindings } from './evaluation.ts';
import { toEvaluationError } from './evaluation-error.ts';
import type { ExpressionProblem } from './expression-error.ts';
import { builtIns } from './library/built-ins.ts';
import { defaultLimits } from './limits.ts';
import { isPlain, type Node, NotCompilable, nodesOf, required, unlessTooDeep } from './node.ts';
import { offsetOfToken } from './parse.ts';
import { toPlain } from './to-plain.ts';
import { isTruthy } from './value.ts';

/** What an expression is used for. A filter selects requests, so a constant one is certainly a mistake. */
export type Purpose = 'filter' | 'value';

/** The outcome of an expression for every input, and the node that decides it. */
interface Constant {
  readonly outcome: 'true' | 'false' | 'error';
  readonly decisive: Node;
  readonly code?: string;
}

/** Reports a filter with the same outcome for every input, and a `value` expression that always fails. */
export function constantProblem(source: string, root: Node, purpose: Purpose): ExpressionProblem | undefined {
  const constant = unlessTooDeep(() => constantOf(root), undefined);
  if (constant === undefined) return undefined;
  const { outcome, decisive, code = '' } = constant;
  const place = decisive === root ? { offset: 0 } : offsetOfToken(source, decisive.position, spelled(decisive));
  if (outcome === 'error') {
    return { message: `the expression always fails, with ${code}: ${describeErrorCode(code)}`, ...place };
  }
  if (purpose === 'value') return undefined;
  const effect = outcome === 'true' ? 'passes every request' : 'drops every request';
  return { message: `the expression is always ${outcome}: it ${effect}`, ...place };
}

/** The value of an expression that is the same for every input; undefined if that is unknown or it always fails. */
export function constantValue(root: Node): { readonly value: unknown } | undefined {
  return unlessTooDeep(() => {
    try {
      return isConstant(root) ? { value: toPlain(evaluated(root).value) } : undefined;
    } catch {
      // It always fails, which is a warning, or it needs the reference interpreter.
      return undefined;
    }
  }, undefined);
}

function constantOf(node: Node): Constant | undefined {
  if (isPlain(node) && node.type === 'binary' && (node.value === 'and' || node.value === 'or')) {
    return constantOfBoolean(node);
  }
  if (isPlain(node) && node.type === 'block' && node.expressions?.length === 1) {
    return constantOf(required(node.expressions[0]));
  }
  return isConstant(node) ? evaluateConstant(node) : undefined;
}

/** One side may decide the result by short-circuit; an error of the other does not let the request pass either. */
function constantOfBoolean(node: Node): Constant | undefined {
  const decisiveOutcome = node.value === 'or' ? 'true' : 'false';
  const left = constantOf(required(node.lhs as Node | undefined));
  const right = constantOf(required(node.rhs));
  if (left?.outcome === 'error' || left?.outcome === decisiveOutcome) return left;
  if (right?.outcome === decisiveOutcome) return right;
  if (left === undefined || right === undefined) return undefined;
  return { ...right, decisive: node };
}

function evaluateConstant(node: Node): Constant | undefined {
  try {
    const { run, value } = evaluated(node);
    return { outcome: isTruthy(run, value) ? 'true' : 'false', decisive: node };
  } catch (error) {
    // An expression that nests too deeply for the stack here may still work elsewhere.
    if (error instanceof NotCompilable || error instanceof RangeError) return undefined;
    return { outcome: 'error', decisive: node, code: toEvaluationError(error).code };
  }
}

function evaluated(node: Node): { readonly run: Evaluation; readonly value: unknown } {
  const run = new Evaluation(defaultLimits);
  run.begin(undefined, noBindings, { now: 0, seed: 0 });
  return { run, value: compileExpression(node)(run, undefined, undefined) };
}

const constantTypes: ReadonlySet<string> = new Set([
  ...['string', 'number', 'value', 'regex', 'unary', 'binary', 'condition', 'block', 'function', 'variable'],
  // Predicate stages, whose parts must be constant too.
  'filter',
]);
/** Non-deterministic built-ins: their arguments do not determine the result. */
const variableFunctions: ReadonlySet<unknown> = new Set(['now', 'millis', 'random', 'shuffle']);

function isConstant(root: Node): boolean {
  for (const node of nodesOf(root)) {
    if (!constantTypes.has(node.type)) return false;
    if (node.type === 'variable' && !(builtIns.has(String(node.value)) && !variableFunctions.has(node.value))) {
      return false;
    }
    // A call with a missing argument may use the context instead.
    if (node.type === 'function' && (node.arguments?.length ?? 0) < arityOf(node)) return false;
  }
  return true;
}

function arityOf({ procedure }: Node): number {
  return builtIns.get(String(procedure?.value))?.arity ?? Infinity;
}

function spelled({ type, value }: Node): string {
  return type === 'string' ? `"${String(value)}"` : String(value);
}
