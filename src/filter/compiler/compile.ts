import { EvaluationError } from '../evaluation-error.ts';
import { type Node, NotCompilable, required } from '../node.ts';
import { UnusableRegExp } from '../regexp/unusable-regexp.ts';
import { regularExpressionOf } from '../regular-expression.ts';
import { isNumeric, isTruthy, type MarkedArray, unwrap } from '../value.ts';
import { compileApply, compileFunctionCall, compileLambda, givesScalar } from './calls.ts';
import { compileArray, compileGroup, groupBy } from './constructors.ts';
import type { Evaluator, Frame, Instrument } from './evaluator.ts';
import { compileBinary } from './operators.ts';
import { compileDescendants, compilePath, compileWildcard, filterBy } from './paths.ts';
import { boundNames, Scope } from './scope.ts';
import { compileBind, compileVariable } from './variables.ts';

/**
 * Compiles a whole expression. Throws a NotCompilable with the reason if it needs the reference interpreter. An
 * instrument observes the compiled code without changing its results.
 */
export function compileExpression(root: Node, instrument?: Instrument): Evaluator {
  const scope = new Scope(undefined, boundNames(root), false, instrument);
  const evaluate = compile(root, scope);
  return scope.hasFrame ? (run, input) => evaluate(run, input, scope.frame(undefined)) : evaluate;
}

/** Compiles one node with the predicates and the grouping that follow it. */
export function compile(node: Node, scope: Scope): Evaluator {
  if (node.tuple === true) throw new NotCompilable('it joins values (@, # or %)');
  let evaluate = compileBare(node, scope);
  for (const { expr } of node.predicate ?? []) {
    const unfiltered = evaluate;
    const select = filterBy(expr, scope);
    evaluate = (run, input, frame) => select(run, unfiltered(run, input, frame), frame);
  }
  if (node.type !== 'path' && node.group !== undefined) {
    const ungrouped = evaluate;
    const group = groupBy(node.group, scope);
    evaluate = (run, input, frame) => group(run, ungrouped(run, input, frame), frame);
  }
  if (!givesNoSequence(node, scope)) evaluate = unwrapped(evaluate, node);
  return scope.instrument === undefined ? evaluate : scope.instrument(node, evaluate);
}

/** Whether the result of a node is never a sequence, so that it need not be unwrapped. */
function givesNoSequence(node: Node, scope: Scope): boolean {
  if (node.predicate !== undefined || (node.group !== undefined && node.type !== 'path')) return false;
  switch (node.type) {
    case 'string':
    case 'number':
    case 'value':
    case 'regex':
    case 'lambda':
      return true;
    case 'binary':
      return node.value !== '..';
    case 'unary':
      return node.value === '-';
    case 'function':
      return givesScalar(node, scope);
    default:
      return false;
  }
}

function unwrapped(evaluate: Evaluator, { keepArray }: Node): Evaluator {
  if (keepArray !== true) {
    return (run, input, frame) => {
      const result = evaluate(run, input, frame);
      return Array.isArray(result) ? unwrap(result) : result;
    };
  }
  return (run, input, frame) => {
    const result = evaluate(run, input, frame);
    if (Array.isArray(result) && (result as MarkedArray).sequence === true) {
      (result as MarkedArray).keepSingleton = true;
    }
    return unwrap(result);
  };
}

function compileBare(node: Node, scope: Scope): Evaluator {
  switch (node.type) {
    case 'path':
      return compilePath(node, scope);
    case 'binary':
      return compileBinary(node, scope);
    case 'unary':
      return compileUnary(node, scope);
    case 'string':
    case 'number':
    case 'value': {
      const { value } = node;
      return () => value;
    }
    case 'wildcard':
      return compileWildcard();
    case 'descendant':
      return compileDescendants();
    case 'condition':
      return compileCondition(node, scope);
    case 'block':
      return compileBlock(node, scope);
    case 'bind':
      return compileBind(node, scope);
    case 'regex':
      return compileRegExp(node);
    case 'function':
      return compileFunctionCall(node, scope);
    case 'variable':
      return compileVariable(node, scope);
    case 'lambda':
      return compileLambda(node, scope);
    case 'apply':
      return compileApply(node, scope);
    case 'name':
      throw new NotCompilable('a name is outside of any path');
    case 'partial':
      throw new NotCompilable('it applies a function partially');
    case 'transform':
      throw new NotCompilable('it transforms an object');
    case 'parent':
      throw new NotCompilable('it joins values (@, # or %)');
    default:
      throw new NotCompilable(`it has a node of unknown type (${node.type})`);
  }
}

function compileUnary(node: Node, scope: Scope): Evaluator {
  if (node.value === '[') return compileArray(node, scope);
  if (node.value === '{') return compileGroup(node, scope);
  const operand = compile(required(node.expression), scope);
  const { position } = node;
  return (run, input, frame) => {
    const value = operand(run, input, frame);
    if (value === undefined) return undefined;
    if (isNumeric(value)) return -value;
    throw new EvaluationError('D1002', { value }, position, '-');
  };
}

function compileCondition(node: Node, scope: Scope): Evaluator {
  const condition = compile(required(node.condition), scope);
  const consequent = compile(required(node.then), scope);
  const alternative = node.else === undefined ? () => undefined : compile(node.else, scope);
  return (run, input, frame) =>
    isTruthy(run, condition(run, input, frame)) ? consequent(run, input, frame) : alternative(run, input, frame);
}

function compileBlock(node: Node, scope: Scope): Evaluator {
  const expressions = required(node.expressions);
  const inner = new Scope(scope, boundNames(expressions), false);
  const evaluators = expressions.map((expression) => compile(expression, inner));
  const evaluateAll: Evaluator = (run, input, frame) => {
    let result: unknown;
    for (const evaluate of evaluators) result = evaluate(run, input, frame);
    return result;
  };
  const only = evaluators.length === 1 ? evaluators[0] : undefined;
  const evaluate = only ?? evaluateAll;
  return inner.hasFrame ? (run, input, frame: Frame | undefined) => evaluate(run, input, inner.frame(frame)) : evaluate;
}

function compileRegExp(node: Node): Evaluator {
  if (!(node.value instanceof RegExp)) throw new NotCompilable('a regular expression node holds no RegExp');
  try {
    const regularExpression = regularExpressionOf(node.value);
    return () => regularExpression;
  } catch (error) {
    if (error instanceof UnusableRegExp)
      throw new NotCompilable(`the regular expression is unusable: ${error.message}`);
    throw error;
  }
}
