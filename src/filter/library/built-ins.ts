import { FunctionValue } from '../value.ts';
import { arrays } from './arrays.ts';
import { higherOrder } from './higher-order.ts';
import type { Implementation } from './implementation.ts';
import { matching } from './matching.ts';
import { numbers } from './numbers.ts';
import { objects } from './objects.ts';
import { type BuiltInName, reference } from './reference.ts';
import { type Converter, parseSignature } from './signature.ts';
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

const signatures = new Map(Object.entries(reference).map(([name, { signature }]) => [name, parseSignature(signature)]));

/** JSONata's built-in functions by name, without $eval. */
export const builtIns: ReadonlyMap<string, FunctionValue> = new Map(
  Object.entries(reference).map(([name, { arity }]) => [
    name,
    new FunctionValue(arity, adapt(implementations[name as BuiltInName]), signatures.get(name)?.validate),
  ]),
);

/** A direct call of a built-in with a fixed number of arguments. */
export interface DirectCall {
  readonly implementation: Implementation;
  readonly converters: readonly Converter[];
}

/** Undefined if the call needs its context: for a missing argument, or one whose parameter depends on another. */
export function directCallOf(name: string, count: number): DirectCall | undefined {
  const converters = signatures.get(name)?.convertersOf(count);
  return converters === undefined ? undefined : { implementation: implementations[name as BuiltInName], converters };
}

/** Built-ins that return a string, a number, a boolean or undefined: never a sequence. */
export const scalarBuiltIns: ReadonlySet<string> = new Set([
  ...['sum', 'count', 'max', 'min', 'average', 'string', 'substring', 'substringBefore', 'substringAfter'],
  ...['lowercase', 'uppercase', 'length', 'trim', 'pad', 'contains', 'replace', 'join', 'formatNumber', 'formatBase'],
  ...['formatInteger', 'parseInteger', 'number', 'floor', 'ceil', 'round', 'abs', 'sqrt', 'power', 'random'],
  ...['boolean', 'not', 'exists', 'type', 'base64encode', 'base64decode', 'encodeUrlComponent', 'encodeUrl'],
  ...['decodeUrlComponent', 'decodeUrl', 'toMillis', 'fromMillis', 'now', 'millis'],
]);

function adapt(implementation: Implementation): FunctionValue['invoke'] {
  return (run, args) => implementation(run, ...args);
}
