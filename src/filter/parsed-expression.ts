import { constantValue } from './constant.ts';
import { explain, type Given } from './explain.ts';
import type { Explanation, ExpressionCondition, FilterExpression, Vocabulary } from './filter-expression.ts';
import type { Watch } from './isolation/protocol.ts';
import type { FilterLimits } from './limits.ts';
import { type Node, nodesOf, unlessTooDeep } from './node.ts';
import { type Condition, conditionsOf } from './review/conditions.ts';
import { compileObserver, type Observe } from './review/observe.ts';
import { vocabularyOf } from './review/vocabulary.ts';

/** An expression that is known to parse. */
export interface Parsed extends Pick<FilterExpression, 'warnings' | 'variables'> {
  readonly source: string;
  readonly root: Node;
  readonly compilePart: (source: string) => FilterExpression;
}

/** The properties of an expression in either mode. Those that only reviews need are computed on first use. */
export abstract class ParsedExpression {
  readonly warnings: FilterExpression['warnings'];
  readonly variables: FilterExpression['variables'];
  readonly #parsed: Parsed;
  #found: readonly Condition[] | undefined;
  #vocabulary: Vocabulary | undefined;

  constructor(parsed: Parsed) {
    this.warnings = parsed.warnings;
    this.variables = parsed.variables;
    this.#parsed = parsed;
  }

  get constant(): FilterExpression['constant'] {
    return constantValue(this.#parsed.root);
  }

  get conditions(): readonly ExpressionCondition[] {
    return this.#conditions().map(({ source, offset }) => ({ source, offset }));
  }

  get vocabulary(): Vocabulary {
    this.#vocabulary ??= unlessTooDeep(() => vocabularyOf(this.#parsed.root), { paths: [], constants: [] });
    return this.#vocabulary;
  }

  explain(...given: Given): Promise<Explanation> {
    const { compilePart, source, root } = this.#parsed;
    return explain(compilePart, source, root, given);
  }

  protected compileObserver(limits: FilterLimits): Observe {
    const conditions = this.#conditions();
    const nothing = conditions.map(() => ({ seenTrue: false, seenFalse: false }));
    return unlessTooDeep(
      () => compileObserver(this.#parsed.root, conditions, limits),
      () => nothing,
    );
  }

  /** The nodes to watch, as indexes: the worker process has its own syntax tree of the same shape. */
  protected watch(): Watch {
    const places = new Map(nodesOf(this.#parsed.root).map((node, place) => [node, place]));
    return { conditions: this.#conditions().map(({ nodes }) => nodes.map((node) => places.get(node) ?? -1)) };
  }

  #conditions(): readonly Condition[] {
    this.#found ??= unlessTooDeep(() => conditionsOf(this.#parsed.source, this.#parsed.root), []);
    return this.#found;
  }
}
