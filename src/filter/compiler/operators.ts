import type { Evaluation } from '../evaluation.ts';
import { EvaluationError, toEvaluationError } from '../evaluation-error.ts';
import { type Node, NotCompilable, required } from '../node.ts';
import { isDeepEqual, isNumeric, isTruthy, toText } from '../value.ts';
import { compile } from './compile.ts';
import type { Evaluator } from './evaluator.ts';
import type { Scope } from './scope.ts';

type Operator = (run: Evaluation, left: unknown, right: unknown) => unknown;

export function compileBinary(node: Node, scope: Scope): Evaluator {
  const left = compile(required(node.lhs as Node | undefined), scope);
  const right = compile(required(node.rhs), scope);
  const token = String(node.value);
  if (token === 'and' || token === 'or') return compileBoolean(token, left, right, node);
  const general = operators[token];
  if (general === undefined) throw new NotCompilable(`it has an unknown operator (${token})`);
  const operate: Operator = (run, leftValue, rightValue) => {
    try {
      return general(run, leftValue, rightValue);
    } catch (error) {
      throw placed(error, node, token);
    }
  };
  return (
    compileWithConstant(node, left, operate) ??
    compileNumeric(token, left, right, operate) ??
    ((run, input, frame) => operate(run, left(run, input, frame), right(run, input, frame)))
  );
}

/** Inspects a literal on the right side once, at compile time. */
function compileWithConstant({ value: token, rhs }: Node, left: Evaluator, operate: Operator): Evaluator | undefined {
  if (rhs === undefined) return undefined;
  if (token === 'in') {
    const list = literalsOf(rhs);
    return list === undefined ? undefined : (run, input, frame) => operate(run, left(run, input, frame), list);
  }
  const constant = rhs.value;
  if (!isLiteral(rhs)) return undefined;
  if (token === '=') return (run, input, frame) => left(run, input, frame) === constant;
  if (token !== '!=') return undefined;
  return (run, input, frame) => {
    const value = left(run, input, frame);
    return value !== undefined && value !== constant;
  };
}

/** The items of an array constructor that holds only literals. */
function literalsOf({ type, value, expressions = [], predicate, group, consarray }: Node): unknown[] | undefined {
  if (type !== 'unary' || value !== '[' || predicate || group || consarray) return undefined;
  const areLiterals = expressions.every(isLiteral);
  return areLiterals ? expressions.map((item) => item.value) : undefined;
}

function isLiteral({ type, predicate, group }: Node): boolean {
  return (type === 'string' || type === 'number' || type === 'value') && predicate === undefined && group === undefined;
}

/** A fast path for two numbers; any other operands go to the general operator. */
function compileNumeric(token: string, left: Evaluator, right: Evaluator, operate: Operator): Evaluator | undefined {
  switch (token) {
    case '+':
      return (run, input, frame) => {
        const one = left(run, input, frame);
        const other = right(run, input, frame);
        if (typeof one !== 'number' || typeof other !== 'number') return operate(run, one, other);
        return Number.isFinite(one) && Number.isFinite(other) ? one + other : operate(run, one, other);
      };
    case '-':
      return (run, input, frame) => {
        const one = left(run, input, frame);
        const other = right(run, input, frame);
        if (typeof one !== 'number' || typeof other !== 'number') return operate(run, one, other);
        return Number.isFinite(one) && Number.isFinite(other) ? one - other : operate(run, one, other);
      };
    case '*':
      return (run, input, frame) => {
        const one = left(run, input, frame);
        const other = right(run, input, frame);
        if (typeof one !== 'number' || typeof other !== 'number') return operate(run, one, other);
        return Number.isFinite(one) && Number.isFinite(other) ? one * other : operate(run, one, other);
      };
    case '/':
      return (run, input, frame) => {
        const one = left(run, input, frame);
        const other = right(run, input, frame);
        if (typeof one !== 'number' || typeof other !== 'number') return operate(run, one, other);
        return Number.isFinite(one) && Number.isFinite(other) ? one / other : operate(run, one, other);
      };
    case '%':
      return (run, input, frame) => {
        const one = left(run, input, frame);
        const other = right(run, input, frame);
        if (typeof one !== 'number' || typeof other !== 'number') return operate(run, one, other);
        return Number.isFinite(one) && Number.isFinite(other) ? one % other : operate(run, one, other);
      };
    case '<':
      return (run, input, frame) => {
        const one = left(run, input, frame);
        const other = right(run, input, frame);
        return typeof one === 'number' && typeof other === 'number' ? one < other : operate(run, one, other);
      };
    case '<=':
      return (run, input, frame) => {
        const one = left(run, input, frame);
        const other = right(run, input, frame);
        return typeof one === 'number' && typeof other === 'number' ? one <= other : operate(run, one, other);
      };
    case '>':
      return (run, input, frame) => {
        const one = left(run, input, frame);
        const other = right(run, input, frame);
        return typeof one === 'number' && typeof other === 'number' ? one > other : operate(run, one, other);
      };
    case '>=':
      return (run, input, frame) => {
        const one = left(run, input, frame);
        const other = right(run, input, frame);
        return typeof one === 'number' && typeof other === 'number' ? one >= other : operate(run, one, other);
      };
    default:
      return undefined;
  }
}

/** As in the reference, an error of the right side is reported at the operator's position. */
function compileBoolean(token: 'and' | 'or', left: Evaluator, right: Evaluator, node: Node): Evaluator {
  const decisive = token === 'or';
  return (run, input, frame) => {
    const leftValue = left(run, input, frame);
    if (leftValue === decisive) return decisive;
    try {
      if (typeof leftValue !== 'boolean' && isTruthy(run, leftValue) === decisive) return decisive;
      const rightValue = right(run, input, frame);
      return typeof rightValue === 'boolean' ? rightValue : isTruthy(run, rightValue);
    } catch (error) {
      throw placed(error, node, token);
    }
  };
}

function placed(thrown: unknown, { position }: Node, token: string): EvaluationError {
  const error = toEvaluationError(thrown);
  error.position = position;
  error.token = token;
  return error;
}

const operators: Readonly<Record<string, Operator>> = {
  '+': numeric((left, right) => left + right),
  '-': numeric((left, right) => left - right),
  '*': numeric((left, right) => left * right),
  '/': numeric((left, right) => left / right),
  '%': numeric((left, right) => left % right),
  '=': (run, left, right) => left !== undefined && right !== undefined && isDeepEqual(run, left, right),
  '!=': (run, left, right) => left !== undefined && right !== undefined && !isDeepEqual(run, left, right),
  '<': comparing((left, right) => left < right),
  '<=': comparing((left, right) => left <= right),
  '>': comparing((left, right) => left > right),
  '>=': comparing((left, right) => left >= right),
  '&': concatenate,
  '..': range,
  in: includes,
};

function numeric(calculate: (left: number, right: number) => number): Operator {
  return (_run, left, right) => {
    if (left !== undefined && !isNumeric(left)) throw new EvaluationError('T2001', { value: left });
    if (right !== undefined && !isNumeric(right)) throw new EvaluationError('T2002', { value: right });
    return left === undefined || right === undefined ? undefined : calculate(left, right);
  };
}

function comparing(compare: (left: string | number, right: string | number) => boolean): Operator {
  return (run, left, right) => {
    if (!isComparable(left) || !isComparable(right)) {
      throw new EvaluationError('T2010', { value: left === undefined || !isComparable(left) ? left : right });
    }
    if (left === undefined || right === undefined) return undefined;
    if (typeof left !== typeof right) throw new EvaluationError('T2009', { value: left, value2: right });
    if (typeof left === 'string' && left.length > 256) run.spendText(left.length);
    return compare(left, right);
  };
}

function isComparable(value: unknown): value is string | number | undefined {
  return typeof value === 'string' || typeof value === 'number' || value === undefined;
}

function concatenate(run: Evaluation, left: unknown, right: unknown): string {
  const leftText = left === undefined ? '' : toText(run, left);
  const rightText = right === undefined ? '' : toText(run, right);
  run.spendText(leftText.length + rightText.length);
  return leftText + rightText;
}

function range(run: Evaluation, from: unknown, to: unknown): unknown {
  if (from !== undefined && !Number.isInteger(from)) throw new EvaluationError('T2003', { value: from });
  if (to !== undefined && !Number.isInteger(to)) throw new EvaluationError('T2004', { value: to });
  if (from === undefined || to === undefined) return undefined;
  const first = Number(from);
  const size = Number(to) - first + 1;
  if (size < 1) return undefined;
  if (size > 1e7) throw new EvaluationError('D2014', { value: size });
  if (size > run.maxSequence) throw new EvaluationError('D2015', { value: size });
  run.spendSequence(size);
  return Object.assign(
    Array.from({ length: size }, (_, index) => first + index),
    { sequence: true },
  );
}

function includes(run: Evaluation, item: unknown, list: unknown): boolean {
  if (item === undefined || list === undefined) return false;
  const length = Array.isArray(list) ? list.length : 1;
  // Strings of the same length are compared character by character.
  const costOfItem = typeof item === 'string' ? 0.25 + item.length / 256 : 0.125;
  if (length * costOfItem > 4) run.spend(length * costOfItem);
  if (!Array.isArray(list)) return item === list;
  for (const other of list) if (other === item) return true;
  return false;
}
