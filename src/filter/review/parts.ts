import { isPlain, type Node } from '../node.ts';
import type { Extent, Extents } from './extents.ts';

/** A part of an expression and its source range. */
export interface Part {
  readonly node: Node;
  readonly extent: Extent;
}

/** The operands of a chain of one operator, in source order, through any parentheses. */
export function joinedParts(extents: Extents, whole: Part, operator: unknown): readonly Part[] {
  const parts: Part[] = [];
  // Iterative: a chain may be longer than the call stack allows.
  const pending = [whole];
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    const inner = innerParts(extents, part.node, operator);
    if (inner.length === 0) parts.push(part);
    else pending.push(...inner.toReversed());
  }
  return parts;
}

/** Both sides of the operator, or the content of parentheses; empty if it is neither. */
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
