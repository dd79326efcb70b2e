import jsonata from 'jsonata';
import type { ObservedCondition } from '../filter-expression.ts';
import { reference } from '../library/reference.ts';
import type { Bindings } from '../limits.ts';
import { type Node, nodesOf } from '../node.ts';
import { Observations } from '../review/observations.ts';
import type { Watch } from './protocol.ts';

/** The reference calls a function bound to this name with the result of each node. */
const exitHook = Symbol.for('jsonata.__evaluate_exit');

/** A built-in function as the reference binds it. */
interface Definition {
  readonly implementation: (...args: unknown[]) => unknown;
}

/** Observes the conditions of an expression that the reference evaluates, in consecutive evaluations. */
export class Observer {
  readonly #expression: jsonata.Expression;
  readonly #count: number;
  readonly #places: ReadonlyMap<Node, number>;
  readonly #tails: readonly { readonly alias: string; readonly name: string; readonly place: number }[];
  #observations: Observations;

  /** Modifies the expression, which nothing else may evaluate. */
  constructor(expression: jsonata.Expression, { conditions }: Watch) {
    const nodes = nodesOf(expression.ast() as unknown as Node);
    this.#expression = expression;
    this.#count = conditions.length;
    this.#places = new Map(
      conditions.flatMap((watched, place) =>
        watched.flatMap((at) => nodes.slice(at, at + 1).map((node) => [node, place])),
      ),
    );
    this.#observations = new Observations(this.#count, isTrue);
    this.#tails = nodes.flatMap(({ thunk, body }) => (thunk === true && body !== undefined ? this.#alias(body) : []));
    // Its type allows only names that are valid in an expression.
    expression.assign(
      exitHook as unknown as string,
      (node: Node, _input: unknown, _environment: unknown, value: unknown) => this.#note(this.#places.get(node), value),
    );
  }

  /** Starts a new observation; the evaluation that follows fills in the returned conditions. */
  async begin(bindings: Bindings): Promise<readonly ObservedCondition[]> {
    const observations = new Observations(this.#count, isTrue);
    this.#observations = observations;
    for (const { alias, name, place } of this.#tails) {
      const called = Object.hasOwn(bindings, name) ? bindings[name] : await this.#noting(name, place);
      this.#expression.assign(alias, called);
    }
    return observations.list;
  }

  #note(place: number | undefined, value: unknown): void {
    if (place !== undefined) this.#observations.note(place, value);
  }

  /**
   * A lambda's caller makes its tail call, which bypasses the hook. So the tail call is renamed to a wrapper function,
   * under a name that is not valid in any expression.
   */
  #alias(call: Node) {
    const place = this.#places.get(call);
    const { procedure } = call;
    if (place === undefined || procedure === undefined) return [];
    const name = String(procedure.value);
    const alias = `${name} ${place}`;
    Object.assign(procedure, { value: alias });
    return [{ alias, name, place }];
  }

  async #noting(name: string, place: number): Promise<Definition> {
    const definition: Definition = await jsonata(`$${name}`).evaluate(undefined);
    const note = (value: unknown) => this.#note(place, value);
    return {
      ...definition,
      async implementation(this: unknown, ...args) {
        const value = await Reflect.apply(definition.implementation, this, args);
        note(value);
        return value;
      },
    };
  }
}

function isTrue(value: unknown): boolean {
  return reference.boolean.call(value) === true;
}
