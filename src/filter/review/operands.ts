import { isPlain, type Node } from '../node.ts';
import type { Extent, Extents } from './extents.ts';
import { joinedParts, type Part } from './parts.ts';

/**
 * The parts of an expression that are evaluated with the same context as itself: operands, arguments, branches. Without
 * those that are their own value: literals and functions.
 */
export function operandsOf(extents: Extents, part: Part): readonly Part[] {
  const inner = withoutParentheses(extents, part);
  return allOf(extents, inner).filter(({ node }) => !isOwnValue(node));
}

function withoutParentheses(extents: Extents, part: Part): Part {
  let { node, extent } = part;
  for (;;) {
    const [only, ...more] = node.expressions ?? [];
    const [range] = extents.of(node)?.operands ?? [];
    if (node.type !== 'block' || !isPlain(node) || only === undefined || range === undefined || more.length > 0) break;
    node = only;
    extent = range;
  }
  return { node, extent };
}

function allOf(extents: Extents, { node, extent }: Part): readonly Part[] {
  if (!isPlain(node)) return [];
  const { operator, operands = [] } = extents.of(node) ?? {};
  switch (node.type) {
    case 'binary':
      return node.value === 'and' || node.value === 'or'
        ? joinedParts(extents, { node, extent }, node.value)
        : paired([node.lhs as Node | undefined, node.rhs], operands);
    case 'unary':
      return node.value === '-' ? paired([node.expression], operands) : [];
    case 'function':
      return argumentsOf(extents, node);
    case 'apply': {
      const left = paired([node.lhs as Node | undefined], operands);
      // The call has one argument more than the source shows.
      return node.rhs?.type === 'function' ? [...left, ...argumentsOf(extents, node.rhs)] : left;
    }
    case 'condition':
      return operator === '?'
        ? paired([node.condition, node.then, node.else], operands)
        : paired([node.then, node.else], operands);
    default:
      return [];
  }
}

function argumentsOf(extents: Extents, call: Node): readonly Part[] {
  if (call.procedure?.type !== 'variable') return [];
  const written = extents.of(call)?.operands.slice(1) ?? [];
  const all = call.arguments ?? [];
  return all.length === written.length ? paired(all, written) : [];
}

function paired(nodes: readonly (Node | undefined)[], ranges: readonly Extent[]): readonly Part[] {
  return nodes.flatMap((node, index) => {
    const extent = ranges[index];
    return node === undefined || extent === undefined ? [] : [{ node, extent }];
  });
}

const ownValues: ReadonlySet<string> = new Set(['string', 'number', 'value', 'regex', 'lambda', 'partial']);

function isOwnValue(node: Node): boolean {
  if (node.type === 'unary' && node.value === '[') return (node.expressions ?? []).every(isOwnValue) && isPlain(node);
  return ownValues.has(node.type) && isPlain(node);
}
