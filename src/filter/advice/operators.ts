import type { ExpressionProblem } from '../expression-error.ts';
import { isPlain, type Node } from '../node.ts';

const comparisons: ReadonlySet<unknown> = new Set(['=', '!=', '<', '<=', '>', '>=', 'in']);
const conditions: ReadonlySet<unknown> = new Set([...comparisons, 'and', 'or']);

/** Operators that mean something else in other languages: `+` of strings, `&` of conditions, `or` of strings. */
export function operatorProblems(source: string, nodes: readonly Node[]): ExpressionProblem[] {
  return nodes.flatMap((node) => problemOf(source, node) ?? []);
}

function problemOf(source: string, node: Node): ExpressionProblem | undefined {
  const { type, value, position = 0, rhs } = node;
  const lhs = node.lhs as Node | undefined;
  if (type !== 'binary' || lhs === undefined || rhs === undefined) return undefined;
  const sides = [lhs, rhs];
  const offset = Math.max(0, position - String(value).length);
  if (value === '+' && sides.some(isText)) {
    return { message: '+ adds numbers: with a string it always fails', hint: 'Write & to join strings.', offset };
  }
  if (value === '&' && sides.some((side) => isPlain(side) && side.type === 'binary' && conditions.has(side.value))) {
    return { message: '& joins strings: the result is a text, never false', hint: 'Write and.', offset };
  }
  if (comparisons.has(value) && isPlain(lhs) && lhs.type === 'binary' && comparisons.has(lhs.value)) {
    const hint = 'Write a > 1 and a < 9 for a range, a = 1 and b = 2 for two conditions.';
    return { message: `the left side of this ${String(value)} is itself a comparison`, hint, offset };
  }
  if ((value === 'or' || value === 'and') && isComparison(lhs) && isText(rhs)) {
    const name = source.slice(0, offset).trim();
    const compared = /^[\w.$`]+(?=\s*=)/.exec(name)?.[0] ?? 'x';
    const hint = `Compare it too: ${compared} in ["a", "b"], or ${compared} = "a" ${value} ${compared} = "b".`;
    return { message: 'a string alone is a condition that is always true, unless it is empty', hint, offset };
  }
  return undefined;
}

function isText(node: Node): boolean {
  return node.type === 'string' && isPlain(node);
}

function isComparison(node: Node): boolean {
  return node.type === 'binary' && isPlain(node) && conditions.has(node.value);
}
