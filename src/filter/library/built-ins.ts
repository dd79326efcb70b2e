import { FunctionValue } from '../value.ts';
import { arrays } from './arrays.ts';
import { higherOrder } from './higher-order.ts';
import type { Implementation } from './implementation.ts';
import { matching } from './matching.ts';
import { numbers } from './numbers.ts';
import { objects } from './objects.ts';
import { type BuiltInName, reference } from './reference.ts';
import { parseSignature } from './signature.ts';
import { texts } from './texts.ts';
import { times } from './times.ts';

const implementations: Readonly<Record<BuiltInName, Implementation>> = {
  ...arrays,
  ...higherOrder,
  ...matching,
  ...numbers,
  ...objects,
  ...texts,
  ...times,
};

/** JSONata's built-in functions by name, without $eval. */
export const builtIns: ReadonlyMap<string, FunctionValue> = new Map(
  Object.entries(reference).map(([name, { arity, signature }]) => [
    name,
    new FunctionValue(arity, adapt(implementations[name as BuiltInName]), parseSignature(signature)),
  ]),
);

function adapt(implementation: Implementation): FunctionValue['invoke'] {
  return (run, args) => implementation(run, ...args);
}
