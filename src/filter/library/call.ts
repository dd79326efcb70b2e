import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { FunctionValue } from '../value.ts';

/** A tail call. The lambda's caller makes it, so that it does not nest and sees the caller's context. */
export class TailCall {
  /** Evaluates the function and its arguments in the lambda's scope. */
  readonly prepare: () => { readonly callee: unknown; readonly args: unknown[] };

  constructor(prepare: TailCall['prepare']) {
    this.prepare = prepare;
  }
}

/** What a call that a function makes costs in addition to the function itself. */
export const costOfCall = 3;

/** Calls a function value, and then its tail calls. */
export function call(run: Evaluation, callee: unknown, args: unknown[], context: unknown): unknown {
  return finish(run, callOnce(run, callee, args, context), context);
}

/** Runs tail calls until one returns a value (a trampoline). */
function finish(run: Evaluation, ended: unknown, context: unknown): unknown {
  let result = ended;
  while (result instanceof TailCall) {
    run.spend(costOfCall);
    const next = result.prepare();
    result = callOnce(run, next.callee, next.args, context);
  }
  return result;
}

function callOnce(run: Evaluation, callee: unknown, args: unknown[], context: unknown): unknown {
  if (!(callee instanceof FunctionValue)) throw new EvaluationError('T1006');
  const validated = callee.validate === undefined ? args : callee.validate(run, args, context);
  return callee.invoke(run, validated, context);
}

/** Calls the callback of a higher-order function with as many of the arguments as it accepts. */
export function callBack(run: Evaluation, callback: unknown, item: unknown, key: unknown, all: unknown): unknown {
  if (!(callback instanceof FunctionValue)) throw new EvaluationError('T1006');
  // A lambda pays for its calls.
  if (callback.callBack !== undefined) return finish(run, callback.callBack(run, item, key, all), null);
  run.spend(costOfCall);
  if (callback.arity >= 3) return call(run, callback, [item, key, all], null);
  return call(run, callback, callback.arity === 2 ? [item, key] : [item], null);
}
