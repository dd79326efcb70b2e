import type { Evaluation } from '../evaluation.ts';
import { EvaluationError, toEvaluationError } from '../evaluation-error.ts';
import { builtIns, directCallOf, scalarBuiltIns } from '../library/built-ins.ts';
import { call, costOfCall, TailCall } from '../library/call.ts';
import { type Converter, parseSignature, unfit } from '../library/signature.ts';
import { type Node, NotCompilable, required } from '../node.ts';
import { FunctionValue } from '../value.ts';
import { compile } from './compile.ts';
import type { Evaluator, Frame } from './evaluator.ts';
import { boundNames, Scope } from './scope.ts';
import { variableOf } from './variables.ts';
import { weightOf } from './weight.ts';

/** `$name(…)`. `piped` is the operand to the left of `~>`; it becomes the first argument. */
export function compileFunctionCall(node: Node, scope: Scope, piped?: Evaluator): Evaluator {
  const procedure = required(node.procedure);
  const args = required(node.arguments).map((argument) => compile(argument, scope));
  if (piped !== undefined) args.unshift(piped);
  const callee = compileCallee(procedure, args.length, scope);
  const token = nameOf(procedure);
  const suggests = procedure.type === 'path' ? suggestion(procedure, scope) : undefined;
  const evaluate: Evaluator = (run, input, frame) => {
    const called = callee(run, input, frame);
    if (called === undefined && suggests?.(run, input, frame)) {
      throw new EvaluationError('T1005', {}, node.position, token);
    }
    const values: unknown[] = [];
    for (const argument of args) {
      const value = argument(run, input, frame);
      values.push(value instanceof FunctionValue ? passedOn(value) : value);
    }
    try {
      return call(run, called, values, input);
    } catch (error) {
      throw placed(error, node.position, token, called);
    }
  };
  const name = sureBuiltIn(procedure, scope);
  return name === undefined ? evaluate : compileDirectCall(name, args, node.position, evaluate);
}

/** A function passed as an argument has no context that could fill in for its missing arguments. */
function passedOn(value: FunctionValue): FunctionValue {
  return new FunctionValue(value.arity, (run, args) => call(run, value, args, null));
}

/** The built-in that is called, unless an external binding shadows it. */
function sureBuiltIn(procedure: Node, scope: Scope): string | undefined {
  if (procedure.type !== 'variable' || procedure.predicate !== undefined) return undefined;
  const name = String(procedure.value);
  return scope.isBuiltIn(name) ? name : undefined;
}

/** Whether the result of a call is never a sequence. A binding that shadows a built-in is assumed not to return one. */
export function givesScalar({ procedure }: Node, scope: Scope): boolean {
  const name = procedure === undefined ? undefined : sureBuiltIn(procedure, scope);
  return name !== undefined && scalarBuiltIns.has(name);
}

/** Calls the implementation of a built-in directly if the arguments fit and no external binding shadows it. */
function compileDirectCall(
  name: string,
  args: readonly Evaluator[],
  position: number | undefined,
  indirect: Evaluator,
): Evaluator {
  const direct = directCallOf(name, args.length);
  const [first, second, third] = args;
  if (direct === undefined || first === undefined) return indirect;
  const { implementation, converters } = direct;
  const [toFirst, toSecond] = converters as [Converter, Converter];
  const builtIn = builtIns.get(name);
  const unfitting = (run: Evaluation, values: unknown[], input: unknown): unknown => {
    try {
      return call(run, builtIn, values, input);
    } catch (error) {
      throw placed(error, position, name, builtIn);
    }
  };
  if (second === undefined) {
    return (run, input, frame) => {
      if (run.binds(name)) return indirect(run, input, frame);
      const value = first(run, input, frame);
      const converted = toFirst(value, run);
      if (converted === unfit) return unfitting(run, [value], input);
      try {
        return implementation(run, converted);
      } catch (error) {
        throw placed(error, position, name, builtIn);
      }
    };
  }
  if (third !== undefined) return indirect;
  return (run, input, frame) => {
    if (run.binds(name)) return indirect(run, input, frame);
    const value = first(run, input, frame);
    const other = second(run, input, frame);
    const converted = toFirst(value, run);
    const otherConverted = toSecond(other, run);
    if (converted === unfit || otherConverted === unfit) return unfitting(run, [value, other], input);
    try {
      return implementation(run, converted, otherConverted);
    } catch (error) {
      throw placed(error, position, name, builtIn);
    }
  };
}

function compileCallee(procedure: Node, count: number, scope: Scope): Evaluator {
  if (procedure.type !== 'variable' || procedure.predicate !== undefined || procedure.value === '') {
    return compile(procedure, scope);
  }
  const name = String(procedure.value);
  if (scope.isBuiltIn(name)) checkBounded(name, count);
  return variableOf(name, scope);
}

/** With a picture to parse or options for formatting, these calls may not terminate. */
function checkBounded(name: string, count: number): void {
  if (name === 'toMillis' && count > 1) throw new NotCompilable('$toMillis with a picture may backtrack endlessly');
  if (name === 'formatNumber' && count !== 2) {
    throw new NotCompilable('$formatNumber with options may never terminate');
  }
}

/** Whether a function has the name of a field that is called as one. */
function suggestion(procedure: Node, scope: Scope): Evaluator {
  const name = nameOf(procedure) ?? '';
  const variable = variableOf(name, scope);
  return (run, input, frame) => Boolean(builtIns.has(name) || variable(run, input, frame));
}

function nameOf(procedure: Node): string | undefined {
  const value = procedure.type === 'path' ? procedure.steps?.[0]?.value : procedure.value;
  return typeof value === 'string' ? value : undefined;
}

function placed(thrown: unknown, position: number | undefined, token: string | undefined, called: unknown) {
  const error = toEvaluationError(thrown);
  error.token ??= token;
  error.position = called === undefined ? (error.position ?? position) : (position ?? error.position);
  return error;
}

export function compileLambda(node: Node, scope: Scope): Evaluator {
  if (node.thunk === true) {
    const body = required(node.body);
    const tail = compileTailCall(body, scope);
    return scope.instrument === undefined ? tail : scope.instrument(body, tail);
  }
  const names = required(node.arguments).map((parameter) => String(parameter.value));
  const body = required(node.body);
  const inner = new Scope(scope, [...names, ...boundNames(body)], true);
  for (const name of names) inner.markBound(name);
  if (hasFilteredTail(body)) inner.deferTails('all');
  else if (body.type === 'block' || body.type === 'condition') inner.deferTails('sequences');
  const evaluate = compile(body, inner);
  const slots = names.map((name) => inner.slotOf(name));
  const weight = costOfCall + weightOf(body);
  const validate = node.signature === undefined ? undefined : parseSignature(node.signature.definition).validate;
  const [slot = 0, secondSlot = 0, thirdSlot = 0] = slots;
  const takesItems = validate === undefined && slots.length <= 3;
  return (_run, input, frame) => {
    const invoke = (run: Evaluation, args: unknown[]): unknown => {
      let own: Frame | undefined = frame;
      if (inner.hasFrame) {
        own = inner.frame(frame);
        for (let index = 0; index < slots.length; index += 1) own[slots[index] as number] = args[index];
      }
      return evaluateBody(run, evaluate, input, own, weight);
    };
    if (!takesItems) return new FunctionValue(names.length, invoke, validate);
    const callBack = (run: Evaluation, item: unknown, key: unknown, all: unknown): unknown => {
      let own: Frame | undefined = frame;
      if (inner.hasFrame) {
        own = inner.frame(frame);
        if (slot > 0) own[slot] = item;
        if (secondSlot > 0) own[secondSlot] = key;
        if (thirdSlot > 0) own[thirdSlot] = all;
      }
      return evaluateBody(run, evaluate, input, own, weight);
    };
    return new FunctionValue(names.length, invoke, undefined, callBack);
  };
}

function evaluateBody(
  run: Evaluation,
  evaluate: Evaluator,
  input: unknown,
  frame: Frame | undefined,
  weight: number,
): unknown {
  run.spend(weight);
  run.enter();
  const result = evaluate(run, input, frame);
  run.leave();
  return result;
}

/**
 * Whether predicates or a grouping follow the block that a lambda ends with. The reference applies them to the pending
 * tail call, not to its result.
 */
function hasFilteredTail({ type, predicate, group, expressions, then, else: otherwise }: Node): boolean {
  if (type !== 'block' && type !== 'condition') return false;
  if (predicate !== undefined || group !== undefined) return true;
  return [expressions?.at(-1), then, otherwise].some((tail) => tail !== undefined && hasFilteredTail(tail));
}

/** The parser turns a tail call in a lambda's body into a thunk, which the lambda's caller invokes. */
function compileTailCall(node: Node, scope: Scope): Evaluator {
  const procedure = required(node.procedure);
  const args = required(node.arguments).map((argument) => compile(argument, scope));
  const callee = compileCallee(procedure, args.length, scope);
  const tail: Evaluator = (run, input, frame) =>
    new TailCall(() => ({
      callee: callee(run, input, frame),
      args: args.map((argument) => argument(run, input, frame)),
    }));
  const name = sureBuiltIn(procedure, scope);
  if (name === undefined || scope.deferredTails === 'all') return tail;
  // The end of a block or condition would unwrap it; the reference unwraps only the pending call.
  if (scope.deferredTails === 'sequences' && !scalarBuiltIns.has(name)) return tail;
  return compileDirectTail(name, args, tail);
}

/** A built-in returns without tail calls, so it can be called in the lambda unless it needs the caller's context. */
function compileDirectTail(name: string, args: readonly Evaluator[], tail: Evaluator): Evaluator {
  const direct = directCallOf(name, args.length);
  if (direct === undefined) return tail;
  const { implementation, converters } = direct;
  const builtIn = builtIns.get(name);
  return (run, input, frame) => {
    if (run.binds(name)) return tail(run, input, frame);
    const values = args.map((argument) => argument(run, input, frame));
    const converted = values.map((value, index) => (converters[index] as Converter)(value, run));
    if (converted.includes(unfit)) return new TailCall(() => ({ callee: builtIn, args: values }));
    return implementation(run, ...converted);
  };
}

/** `value ~> function` is a call; `function ~> function` is their composition. */
export function compileApply(node: Node, scope: Scope): Evaluator {
  const left = compile(required(node.lhs as Node | undefined), scope);
  const rightNode = required(node.rhs);
  if (rightNode.type === 'function') return compileFunctionCall(rightNode, scope, left);
  const right = compile(rightNode, scope);
  const { position } = node;
  return (run, input, frame) => {
    const value = left(run, input, frame);
    const callee = right(run, input, frame);
    if (!(callee instanceof FunctionValue)) throw new EvaluationError('T2006', { value: callee }, position);
    if (!(value instanceof FunctionValue)) return call(run, callee, [value], null);
    return new FunctionValue(1, (inner, [argument]) => {
      const between = call(inner, value, [argument], null);
      return new TailCall(() => ({ callee, args: [between] }));
    });
  };
}
