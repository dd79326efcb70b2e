import { builtIns } from '../library/built-ins.ts';
import { childrenOf, type Node, NotCompilable } from '../node.ts';
import type { Frame, Instrument } from './evaluator.ts';

/** What a variable holds before its `:=` is evaluated; until then the name resolves in the enclosing scope. */
export const unbound = Symbol('unbound');

/** Where a variable may be found: the number of frames outwards, and the index in that frame. */
interface Place {
  readonly hops: number;
  readonly slot: number;
}

/** All, those that may return a sequence, or none. */
type DeferredTails = 'all' | 'sequences' | 'none';

/** The names that a block, a lambda or the whole expression binds, known before anything is evaluated. */
export class Scope {
  /** Wraps the evaluator of each node. Undefined in the code that requests run, which must not pay for it. */
  readonly instrument: Instrument | undefined;
  readonly #parent: Scope | undefined;
  readonly #names: readonly string[];
  /** Names whose `:=` has been compiled. */
  readonly #bound = new Set<string>();
  /** Whether its frames belong to calls of a lambda, which may run after later variables are bound. */
  readonly #isLambda: boolean;
  #deferredTails: DeferredTails = 'none';

  constructor(
    parent: Scope | undefined,
    names: readonly string[],
    isLambda: boolean,
    instrument: Instrument | undefined = parent?.instrument,
  ) {
    this.instrument = instrument;
    this.#parent = parent;
    this.#names = [...new Set(names)];
    this.#isLambda = isLambda;
  }

  /** Leaves tail calls of built-ins in this lambda to its caller. */
  deferTails(which: DeferredTails): void {
    this.#deferredTails = which;
  }

  /** Which tail calls of the enclosing lambda must be left to its caller. */
  get deferredTails(): DeferredTails {
    return this.#isLambda ? this.#deferredTails : (this.#parent?.deferredTails ?? 'none');
  }

  /** Whether evaluations need a frame for this scope. */
  get hasFrame(): boolean {
    return this.#names.length > 0;
  }

  get size(): number {
    return this.#names.length;
  }

  /** A new frame of this scope, with nothing bound. */
  frame(parent: Frame | undefined): Frame {
    const size = this.#names.length;
    if (size === 1) return [parent, unbound];
    if (size === 2) return [parent, unbound, unbound];
    const frame: Frame = [parent];
    for (let slot = 1; slot <= size; slot += 1) frame.push(unbound);
    return frame;
  }

  slotOf(name: string): number {
    return this.#names.indexOf(name) + 1;
  }

  markBound(name: string): void {
    this.#bound.add(name);
  }

  /** Where the name may be bound, innermost first. Throws a NotCompilable if that could make a lambda call itself. */
  placesOf(name: string): Place[] {
    const places: Place[] = [];
    let hops = 0;
    let leftLambda = false;
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.#parent) {
      if (scope.#names.includes(name)) {
        if (leftLambda && !scope.#bound.has(name)) {
          throw new NotCompilable(`$${name} may be a function that calls itself`);
        }
        places.push({ hops, slot: scope.slotOf(name) });
      }
      if (scope.#isLambda) leftLambda = true;
      if (scope.hasFrame) hops += 1;
    }
    return places;
  }

  /** Whether the name is always the built-in, unless an external binding shadows it. */
  isBuiltIn(name: string): boolean {
    return builtIns.has(name) && this.placesOf(name).length === 0;
  }
}

/** Cached, because every constructor asks for the names in the parts around it. */
const knownNames = new WeakMap<object, readonly string[]>();

/** The names that parts of an expression bind in their own scope. */
export function boundNames(part: object): readonly string[] {
  const known = knownNames.get(part) ?? namesIn(part);
  knownNames.set(part, known);
  return known;
}

function namesIn(part: object): readonly string[] {
  const { type, lhs, predicate, group } = part as Partial<Node>;
  // Blocks and lambdas have a scope of their own; predicates that follow a block belong to the enclosing one.
  const isScope = type === 'block' || type === 'lambda';
  const names = childrenOf(isScope ? { predicate, group } : part).flatMap(boundNames);
  return type === 'bind' ? [String((lhs as Node).value), ...names] : names;
}
