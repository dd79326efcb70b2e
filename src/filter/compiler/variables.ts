import { builtIns } from '../library/built-ins.ts';
import { type Node, NotCompilable, required } from '../node.ts';
import { isArray } from '../value.ts';
import { compile } from './compile.ts';
import type { Evaluator, Frame } from './evaluator.ts';
import { type Scope, unbound } from './scope.ts';

/** Functions that are compiled only in calls whose arguments guarantee that they terminate. */
const onlyCalled: ReadonlySet<string> = new Set(['toMillis', 'formatNumber']);

export function compileVariable(node: Node, scope: Scope): Evaluator {
  const name = String(node.value);
  if (name === '') return (_run, input) => (isArray(input) && input.outerWrapper === true ? input[0] : input);
  if (onlyCalled.has(name) && scope.isBuiltIn(name)) throw new NotCompilable(`$${name} is used as a value`);
  return variableOf(name, scope);
}

/** Reads a variable of the expression, a built-in, or an external binding. */
export function variableOf(name: string, scope: Scope): Evaluator {
  const places = scope.placesOf(name);
  const builtIn = builtIns.get(name);
  const outside: Evaluator =
    name === '$' ? ({ root }) => root : ({ bindings }) => (Object.hasOwn(bindings, name) ? bindings[name] : builtIn);
  const [first] = places;
  if (first === undefined) return outside;
  if (places.length === 1) {
    const { hops, slot } = first;
    return (run, input, frame) => {
      const value = frameAt(frame, hops)[slot];
      return value === unbound ? outside(run, input, frame) : value;
    };
  }
  return (run, input, frame) => {
    for (const { hops, slot } of places) {
      const value = frameAt(frame, hops)[slot];
      if (value !== unbound) return value;
    }
    return outside(run, input, frame);
  };
}

export function compileBind(node: Node, scope: Scope): Evaluator {
  const name = String((node.lhs as Node).value);
  const value = compile(required(node.rhs), scope);
  scope.markBound(name);
  const [place] = scope.placesOf(name);
  const { hops, slot } = required(place);
  return (run, input, frame) => {
    const result = value(run, input, frame);
    frameAt(frame, hops)[slot] = result;
    return result;
  };
}

function frameAt(frame: Frame | undefined, hops: number): Frame {
  let current = frame as Frame;
  for (let hop = 0; hop < hops; hop += 1) current = current[0] as Frame;
  return current;
}
