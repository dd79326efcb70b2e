import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { FunctionValue } from '../value.ts';

/** The last call in a lambda's body, made by whoever called the lambda: it does not nest, and sees the caller's context. */
export class TailCall {
  /** Evaluates the function and its arguments where the lambda was made. */
  readonly prepare: () => { readonly callee: unknown; readonly args: unknown[] };

  constructor(prepare: TailCall['prepare']) {
    this.prepare = prepare;
  }
}

/** Calls a function value, and then the calls that its body ends with. */
export function call(run: Evaluation, callee: unknown, args: unknown[], context: unknown): unknown {
  return finish(run, callOnce(run, callee, args, context), context);
}

/** Makes the calls that a call ended with. */
function finish(run: Evaluation, ended: unknown, context: unknown): unknown {
  let result = ended;
  while (result instanceof TailCall) {
    run.spend(1);
    const next = result.prepare();
    result = callOnce(run, next.callee, next.args, context);
  }
  return result;
}

function callOnce(run: Evaluation, callee: unknown, args: unknown[], context: unknown): unknown {
  if (!(callee instanceof FunctionValue)) throw new EvaluationError('T1006');
  const validated = callee.validate === undefined ? args : callee.validate(args, context);
  return callee.invoke(run, validated, context);
}

/** Calls what a higher-order function was given, with as many of the arguments as it takes. */
export function callBack(run: Evaluation, callback: unknown, item: unknown, key: unknown, all: unknown): unknown {
  run.spend(1);
  if (!(callback instanceof FunctionValue)) throw new EvaluationError('T1006');
  if (callback.callBack !== undefined) return finish(run, callback.callBack(run, item, key, all), null);
  if (callback.arity >= 3) return call(run, callback, [item, key, all], null);
  return call(run, callback, callback.arity === 2 ? [item, key] : [item], null);
}
