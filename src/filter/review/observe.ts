import { compileExpression } from '../compiler/compile.ts';
import type { Evaluator } from '../compiler/evaluator.ts';
import { Evaluation } from '../evaluation.ts';
import type { ObservedCondition } from '../filter-expression.ts';
import { TailCall } from '../library/call.ts';
import type { Bindings, EvaluationOptions, FilterLimits } from '../limits.ts';
import type { Node } from '../node.ts';
import { contextOf, FunctionValue, isTruthy } from '../value.ts';
import type { Condition } from './conditions.ts';
import { Observations } from './observations.ts';

/** Evaluates as the expression itself does, and returns the outcomes of its conditions. */
export type Observe = (
  input: unknown,
  bindings: Bindings,
  options: EvaluationOptions | undefined,
) => readonly ObservedCondition[];

/** Compiles an instrumented copy that records the outcomes of conditions; the code that requests run is unaffected. */
export function compileObserver(root: Node, conditions: readonly Condition[], limits: FilterLimits): Observe {
  const places = new Map(conditions.flatMap(({ nodes }, place) => nodes.map((node) => [node, place] as const)));
  // Not members of Evaluation, whose object shape must not depend on whether anything is observed.
  const observations = new WeakMap<Evaluation, Observations>();
  const evaluate = compileExpression(root, (node, plain) => {
    const place = places.get(node);
    if (place === undefined) return plain;
    return noting(plain, (run, value) => observations.get(run)?.note(place, value));
  });
  return (input, bindings, options) => {
    const run = new Evaluation(limits);
    // Not charged to the budget: otherwise an observed evaluation could hit a limit earlier.
    const observed = new Observations(conditions.length, (value) => isTruthy(undefined, value));
    observations.set(run, observed);
    run.begin(input, bindings, options);
    try {
      evaluate(run, contextOf(input), undefined);
    } catch {
      // It failed as the expression itself does. The outcomes up to the failure are the result.
    }
    return observed.list;
  };
}

type Note = (run: Evaluation, value: unknown) => void;

function noting(evaluate: Evaluator, note: Note): Evaluator {
  return (run, input, frame) => {
    const value = evaluate(run, input, frame);
    if (value instanceof TailCall) return notingTail(value, note);
    note(run, value);
    return value;
  };
}

/** A tail call is made later, by the lambda's caller. */
function notingTail(tail: TailCall, note: Note): TailCall {
  return new TailCall(() => {
    const { callee, args } = tail.prepare();
    if (!(callee instanceof FunctionValue)) return { callee, args };
    const invoke: FunctionValue['invoke'] = (run, given, context) => {
      const value = callee.invoke(run, given, context);
      note(run, value);
      return value;
    };
    return { callee: new FunctionValue(callee.arity, invoke, callee.validate), args };
  });
}
