import { linearCostOf } from '../linear.ts';
import type { Engine } from './engine.ts';
import { LinearEngine } from './linear-engine.ts';
import { NativeEngine } from './native-engine.ts';
import { UnusableRegExp } from './unusable-regexp.ts';

/** The fastest engine that matches a regular expression in linear time. Throws an UnusableRegExp if none does. */
export function engineOf(regexp: RegExp): Engine {
  try {
    const cost = linearCostOf(regexp);
    return cost === undefined ? new LinearEngine(regexp) : new NativeEngine(regexp, cost);
  } catch (error) {
    if (error instanceof RangeError) throw new UnusableRegExp('it is nested too deeply');
    if (error instanceof SyntaxError) throw new UnusableRegExp(error.message);
    throw error;
  }
}
