import { childrenOf, type Node } from '../node.ts';

/** What reading a variable, a name or a literal costs, and combining two values. */
const costOfNode = 0.25;
/** What nodes cost that create a value or call a function. */
const costs: Readonly<Record<string, number>> = { function: 3, apply: 4, lambda: 2, block: 1, unary: 2, regex: 0.25 };

const known = new WeakMap<Node, number>();

/**
 * Units of work of evaluating nodes once, known when they are compiled. Whatever evaluates them for each of many items
 * pays this much for each in advance. Without the parts that are evaluated for many items in turn: predicates, later
 * steps, sort terms, groups, and bodies of lambdas pay for themselves.
 */
export function weightOf(...nodes: readonly Node[]): number {
  let sum = 0;
  for (const node of nodes) {
    const weight = known.get(node) ?? weigh(node);
    known.set(node, weight);
    sum += weight;
  }
  return sum;
}

function weigh(node: Node): number {
  const own = (costs[node.type] ?? costOfNode) + lengthOf(node.value) / 64;
  switch (node.type) {
    case 'path': {
      const [first, ...rest] = node.steps ?? [];
      // Names are followed without a sequence as long as they lead to objects.
      return own + (first === undefined ? 0 : weightOf(first)) + rest.length * costOfNode;
    }
    case 'lambda':
      return node.thunk === true && node.body !== undefined ? own + weightOf(node.body) : own;
    case 'sort':
      return own;
    case 'unary':
      return own + weightOf(...(node.expressions ?? []), ...(node.expression === undefined ? [] : [node.expression]));
    default: {
      const { predicate: _predicate, stages: _stages, group: _group, ...parts } = node;
      return own + weightOf(...childrenOf(parts));
    }
  }
}

/** A literal string is compared with strings of the input. */
function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 0;
}
