import jsonata from 'jsonata';
import { toEvaluationError } from './evaluation-error.ts';
import type { Conjunct, ExplainedPart, Explanation, FilterExpression } from './filter-expression.ts';
import type { Bindings, Circumstances } from './limits.ts';
import type { Node } from './node.ts';
import { isTruthy } from './value.ts';

/** A stretch of the source, and the syntax tree of it. */
interface Part {
  readonly node: Node;
  readonly start: number;
  readonly end: number;
}

type Given = [input: unknown, bindings?: Bindings | undefined, circumstances?: Partial<Circumstances> | undefined];

/**
 * Evaluates an expression, each top-level conjunct of it, and the sides of those that compare, each on its own: so also
 * what the evaluation itself never came to, since `and` stops at the first that is not true.
 */
export async function explain(
  compile: (source: string) => FilterExpression,
  source: string,
  root: Node,
  [input, bindings, circumstances]: Given,
): Promise<Explanation> {
  // One clock and seed for all parts.
  const same = { now: Date.now(), seed: Math.floor(Math.random() * 2 ** 32), ...circumstances };
  const evaluate = async (text: string, prefix = ''): Promise<EvaluatedPart> => {
    const part = compile(prefix === '' ? text : `(${prefix}${text})`);
    try {
      const value = await part.evaluate(input, bindings, same);
      return { source: text, value, passes: isTruthy(undefined, value) };
    } catch (error) {
      return { source: text, error: toEvaluationError(error).code, passes: false };
    } finally {
      await part.close();
    }
  };

  const { prefix, conjuncts } = split(source, { node: root, start: 0, end: source.length });
  const explained: Conjunct[] = [];
  for (const part of conjuncts) {
    const conjunct = await evaluate(textOf(source, part), prefix);
    const sides = comparisons.has(part.node.value) ? binarySides(source, part) : undefined;
    if (sides === undefined) {
      explained.push(conjunct);
      continue;
    }
    const left = withoutVerdict(await evaluate(textOf(source, sides.left), prefix));
    const right = withoutVerdict(await evaluate(textOf(source, sides.right), prefix));
    explained.push({ ...conjunct, operator: sides.operator, sides: [left, right] });
  }
  return { ...(await evaluate(source)), conjuncts: explained };
}

interface EvaluatedPart extends ExplainedPart {
  readonly passes: boolean;
}

function withoutVerdict({ passes: _passes, ...part }: EvaluatedPart): ExplainedPart {
  return part;
}

function textOf(source: string, { start, end }: Part): string {
  return source.slice(start, end).trim();
}

/** The conjuncts of an expression, and the statements before them that bind their variables. */
function split(source: string, whole: Part): { prefix: string; conjuncts: Part[] } {
  const inner = insideOfParentheses(source, whole);
  const last = whole.node.expressions?.at(-1);
  if (inner === undefined || last === undefined || whole.node.expressions?.length === 1) {
    return { prefix: '', conjuncts: conjunctsOf(source, whole) };
  }
  const start = startOfLastStatement(source, inner);
  if (start === undefined) return { prefix: '', conjuncts: [whole] };
  return {
    prefix: source.slice(inner.start, start),
    conjuncts: conjunctsOf(source, { node: last, start, end: inner.end }),
  };
}

/** Syntax trees do not tell where a statement begins: the last `;` with an expression on either side is before it. */
function startOfLastStatement(source: string, { start, end }: { start: number; end: number }): number | undefined {
  for (let at = source.lastIndexOf(';', end); at > start; at = source.lastIndexOf(';', at - 1)) {
    if (isExpression(`(${source.slice(start, at)})`) && isExpression(source.slice(at + 1, end))) return at + 1;
  }
  return undefined;
}

function isExpression(text: string): boolean {
  try {
    jsonata(text);
    return true;
  } catch {
    return false;
  }
}

function conjunctsOf(source: string, part: Part): Part[] {
  const { node, start, end } = part;
  const inner = insideOfParentheses(source, part);
  if (inner !== undefined && node.expressions?.length === 1) {
    return conjunctsOf(source, { ...inner, node: node.expressions[0] as Node });
  }
  const sides = node.value === 'and' ? binarySides(source, part) : undefined;
  if (sides === undefined) return [{ node, start, end }];
  return [...conjunctsOf(source, sides.left), ...conjunctsOf(source, sides.right)];
}

const comparisons: ReadonlySet<unknown> = new Set(['=', '!=', '<', '<=', '>', '>=', 'in']);

/** What stands left and right of a binary operator; undefined if it is not one, or not where its position says. */
function binarySides(source: string, { node, start, end }: Part) {
  const { type, value, position, lhs, rhs, predicate, group } = node;
  if (type !== 'binary' || position === undefined || rhs === undefined || predicate || group) return undefined;
  const operator = String(value);
  const from = position - operator.length;
  if (!source.startsWith(operator, from) || from < start || position > end) return undefined;
  return {
    operator,
    left: { node: lhs as Node, start, end: from },
    right: { node: rhs, start: position, end },
  };
}

function insideOfParentheses(source: string, { node, start, end }: Part): { start: number; end: number } | undefined {
  if (node.type !== 'block' || node.predicate !== undefined || node.group !== undefined) return undefined;
  const first = start + (/^\s*/.exec(source.slice(start, end))?.[0].length ?? 0);
  const last = start + source.slice(start, end).trimEnd().length - 1;
  return source[first] === '(' && source[last] === ')' ? { start: first + 1, end: last } : undefined;
}
