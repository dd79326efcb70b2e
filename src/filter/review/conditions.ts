import type { ExpressionCondition } from '../filter-expression.ts';
import { boundVariables, childrenOf, isPlain, type Node, nodesOf } from '../node.ts';
import { type Extent, type Extents, extentsOf } from './extents.ts';
import { joinedParts } from './parts.ts';

/** A condition and its nodes: several if JSONata's parser duplicates that part of the source. */
export interface Condition extends ExpressionCondition {
  readonly nodes: readonly Node[];
}

/**
 * The boolean parts of an expression in source order, each part of the source once: the whole, operands of `and` and
 * `or`, comparisons, built-ins that return a boolean, and anything that `? :`, `[…]` and $not coerce to one.
 */
export function conditionsOf(source: string, root: Node): readonly Condition[] {
  return new Finder(source, root).find();
}

const comparisons: ReadonlySet<unknown> = new Set(['=', '!=', '<', '<=', '>', '>=', 'in']);
const booleanFunctions: ReadonlySet<unknown> = new Set(['exists', 'contains', 'not', 'boolean']);
const literals: ReadonlySet<string> = new Set(['string', 'number', 'value', 'regex', 'lambda']);

class Finder {
  readonly #source: string;
  readonly #root: Node;
  readonly #extents: Extents;
  readonly #bound: ReadonlySet<string>;
  readonly #found = new Map<string, { readonly extent: Extent; readonly nodes: Set<Node> }>();

  constructor(source: string, root: Node) {
    this.#source = source;
    this.#root = root;
    this.#extents = extentsOf(source);
    this.#bound = boundVariables(nodesOf(root));
  }

  find(): readonly Condition[] {
    this.#decide(this.#root, this.#extents.whole);
    return [...this.#found.values()]
      .toSorted(({ extent: one }, { extent: other }) => one.start - other.start || other.end - one.end)
      .map(({ extent: { start, end }, nodes }) => ({
        source: this.#source.slice(start, end),
        offset: start,
        nodes: [...nodes],
      }));
  }

  /** A node whose value is used as a boolean. A block counts as its last statement; a literal is not a condition. */
  #decide(node: Node, extent: Extent | undefined): void {
    const { operands = [], operator } = this.#extents.of(node) ?? {};
    if (node.type === 'block' && isPlain(node)) {
      const last = node.expressions?.at(-1);
      for (const statement of node.expressions ?? []) if (statement !== last) this.#visit(statement);
      if (last !== undefined) this.#decide(last, operands.at(-1));
    } else if (literals.has(node.type) && isPlain(node)) {
      this.#visitChildren(node);
    } else if (node.type === 'condition' && isPlain(node)) {
      this.#add(node, extent);
      this.#visitCondition(node);
      const [left, first, second] = operands;
      if (node.then !== undefined) this.#decide(node.then, operator === '?' ? first : left);
      if (node.else !== undefined) this.#decide(node.else, operator === '?' ? second : first);
    } else {
      this.#add(node, extent);
      this.#visit(node);
    }
  }

  #visit(node: Node): void {
    const { then, else: otherwise, rhs, expr } = node;
    if (this.#isBoolean(node)) this.#add(node, this.#extents.of(node));
    if (isJoin(node)) {
      this.#visitJoined(node);
    } else if (node.type === 'condition') {
      this.#visitCondition(node);
      for (const branch of [then, otherwise]) if (branch !== undefined) this.#visit(branch);
    } else if (node.type === 'function' && node.procedure?.value === 'not' && this.#isBoolean(node)) {
      this.#decideArguments(node);
    } else if (node.type === 'apply' && rhs?.type === 'function') {
      this.#visit(node.lhs as Node);
      // The call has one argument more than the source shows.
      this.#visitChildren(rhs);
    } else if (node.type === 'filter' && expr !== undefined && this.#selects(expr)) {
      this.#decide(expr, this.#extents.of(node)?.operands[1]);
    } else {
      this.#visitChildren(node);
    }
  }

  #decideArguments(call: Node): void {
    const { operands = [] } = this.#extents.of(call) ?? {};
    for (const [index, argument] of (call.arguments ?? []).entries()) this.#decide(argument, operands[index + 1]);
  }

  #visitChildren(node: Node): void {
    for (const child of childrenOf(node)) this.#visit(child);
  }

  /** The condition of `?` or `?:`. That of `??` is not in the source: the parser generates it from the left operand. */
  #visitCondition(node: Node): void {
    const { condition } = node;
    if (condition === undefined) return;
    const { operator, operands = [] } = this.#extents.of(node) ?? {};
    if (operator === '??') this.#visitChildren(condition);
    else this.#decide(condition, operands[0]);
  }

  /** The operands of `and` or `or`. A nested use of the same operator is reported only by its operands. */
  #visitJoined(node: Node): void {
    const extent = this.#extents.of(node);
    if (extent === undefined) return;
    for (const part of joinedParts(this.#extents, { node, extent }, node.value)) this.#decide(part.node, part.extent);
  }

  /** Whether its value is a boolean in every context. */
  #isBoolean(node: Node): boolean {
    if (!isPlain(node)) return false;
    if (node.type === 'binary') return isJoin(node) || comparisons.has(node.value);
    if (node.type === 'function') return this.#isBooleanFunction(node.procedure);
    if (node.type !== 'apply') return false;
    return this.#isBooleanFunction(node.rhs?.type === 'function' ? node.rhs.procedure : node.rhs);
  }

  #isBooleanFunction(procedure: Node | undefined): boolean {
    if (procedure?.type !== 'variable' || !isPlain(procedure)) return false;
    return booleanFunctions.has(procedure.value) && !this.#bound.has(String(procedure.value));
  }

  /** Whether a predicate is a condition for each item: neither an index nor a possible index. */
  #selects(predicate: Node): boolean {
    if (predicate.type === 'block' && isPlain(predicate)) {
      const last = predicate.expressions?.at(-1);
      return last !== undefined && this.#selects(last);
    }
    return predicate.type === 'path' || predicate.type === 'condition' || this.#isBoolean(predicate);
  }

  #add(node: Node, extent: Extent | undefined): void {
    if (extent === undefined) return;
    const key = `${extent.start} ${extent.end}`;
    const known = this.#found.get(key) ?? { extent, nodes: new Set() };
    this.#found.set(key, known);
    known.nodes.add(node);
  }
}

function isJoin(node: Node): boolean {
  return node.type === 'binary' && (node.value === 'and' || node.value === 'or') && isPlain(node);
}
