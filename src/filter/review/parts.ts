import { isPlain, type Node } from '../node.ts';
import type { Extent, Extents } from './extents.ts';

/** A part of an expression, and where it stands. */
export interface Part {
  readonly node: Node;
  readonly extent: Extent;
}

/** What an operator joins, however often and in whatever parentheses, in the order of the source. */
export function joinedParts(extents: Extents, whole: Part, operator: unknown): readonly Part[] {
  const parts: Part[] = [];
  // Not by calls: a chain may be longer than they can nest.
  const pending = [whole];
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    const inner = innerParts(extents, part.node, operator);
    if (inner.length === 0) parts.push(part);
    else pending.push(...inner.toReversed());
  }
  return parts;
}

/** Both sides of the operator, or what stands in parentheses; nothing if it is neither. */
function innerParts(extents: Extents, node: Node, operator: unknown): readonly Part[] {
  const { operands = [] } = extents.of(node) ?? {};
  const [only, ...more] = node.expressions ?? [];
  let nodes: readonly (Node | undefined)[] = [];
  if (node.type === 'block' && isPlain(node) && more.length === 0) nodes = [only];
  if (node.type === 'binary' && node.value === operator) nodes = [node.lhs as Node, node.rhs];
  return nodes.flatMap((part, index) => {
    const extent = operands[index];
    return part === undefined || extent === undefined ? [] : [{ node: part, extent }];
  });
}
