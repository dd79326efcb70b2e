import jsonata from 'jsonata';
import { type Deadline, EvaluationError } from './deadline.ts';

/** Puts limits on the built-in functions that can take long or much memory where no timeout looks. */
export type LimitFunctions = (expression: jsonata.Expression, deadline: Deadline) => void;

/** $distinct compares each pair of values. */
const maxDistinctValues = 1000;
const maxPadWidth = 100_000;
/** $toMillis backtracks over digits: with a picture of n components, up to the n-th power of the length. */
const maxDateLength = 40;
const maxPictureComponents = 8;

/** The code of JSONata's error for a sequence that grew too long. */
const tooLong = 'D2015';

/** The same for every filter, and asking takes longer than parsing one. */
let implementations: Promise<Implementation[]> | undefined;

export async function functionLimiter(): Promise<LimitFunctions> {
  implementations ??= Promise.all(['distinct', 'pad', 'toMillis'].map(implementationOf));
  const [distinct, pad, toMillis] = await implementations;
  // Each parameter is spelled out, for JSONata tells functions' arity from them.
  return (expression, deadline) => {
    expression.registerFunction(
      'distinct',
      function (values: unknown) {
        deadline.check();
        if (Array.isArray(values) && values.length > maxDistinctValues) throw new EvaluationError(tooLong);
        return distinct?.call(this, values);
      },
      '<x:x>',
    );
    expression.registerFunction(
      'pad',
      function (text: unknown, width: unknown, fill: unknown) {
        deadline.check();
        if (Math.abs(Number(width)) > maxPadWidth) throw new EvaluationError(tooLong);
        return pad?.call(this, text, width, fill);
      },
      '<s-ns?:s>',
    );
    expression.registerFunction(
      'toMillis',
      function (date: unknown, picture: unknown) {
        deadline.check();
        if (typeof date === 'string' && typeof picture === 'string' && !isParsable(date, picture)) {
          throw new EvaluationError(tooLong);
        }
        return toMillis?.call(this, date, picture);
      },
      '<s-s?:n>',
    );
  };
}

function isParsable(date: string, picture: string): boolean {
  return date.length <= maxDateLength && picture.split('[').length - 1 <= maxPictureComponents;
}

interface Implementation {
  call(focus: unknown, ...parameters: unknown[]): unknown;
}

/** JSONata does not export its functions, but an expression that names one gives it. */
async function implementationOf(name: string): Promise<Implementation> {
  const definition: unknown = await jsonata(`$${name}`).evaluate(undefined);
  if (typeof definition !== 'object' || definition === null || !('implementation' in definition)) {
    throw new TypeError(`JSONata has no function $${name}`);
  }
  const { implementation } = definition;
  if (typeof implementation !== 'function') throw new TypeError(`JSONata's $${name} is not a function`);
  return { call: (focus, ...parameters) => Reflect.apply(implementation, focus, parameters) };
}
