import { toEvaluationError } from './evaluation-error.ts';
import type { Conjunct, ExplainedPart, Explanation, FilterExpression, PlainValue } from './filter-expression.ts';
import type { Bindings, Circumstances } from './limits.ts';
import { isPlain, type Node } from './node.ts';
import { type Extent, type Extents, extentsOf } from './review/extents.ts';
import { joinedParts, type Part } from './review/parts.ts';
import { FunctionValue, isTruthy } from './value.ts';

export type Given = [input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>];

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
      const plain = toPlain(value);
      return { source: text, passes: isTruthy(undefined, value), ...(plain !== undefined && { value: plain }) };
    } catch (error) {
      return { source: text, error: toEvaluationError(error).code, passes: false };
    } finally {
      await part.close();
    }
  };

  const extents = extentsOf(source, root);
  const textOf = ({ start, end }: Extent) => source.slice(start, end);
  const { statements, last } = split(extents, { node: root, extent: extents.whole });
  const prefix = statements === undefined ? '' : source.slice(statements.start, last.extent.start);
  const explained: Conjunct[] = [];
  for (const { node, extent } of joinedParts(extents, last, 'and')) {
    const conjunct = await evaluate(textOf(extent), prefix);
    const { operator = '', operands = [] } = extents.of(node) ?? {};
    const [left, right] = operands;
    if (!comparisons.has(operator) || node.type !== 'binary' || left === undefined || right === undefined) {
      explained.push(conjunct);
      continue;
    }
    const leftSide = withoutVerdict(await evaluate(textOf(left), prefix));
    const rightSide = withoutVerdict(await evaluate(textOf(right), prefix));
    explained.push({ ...conjunct, operator, sides: [leftSide, rightSide] });
  }
  return { ...(await evaluate(source)), conjuncts: explained };
}

interface EvaluatedPart extends ExplainedPart {
  readonly passes: boolean;
}

function withoutVerdict({ passes: _passes, ...part }: EvaluatedPart): ExplainedPart {
  return part;
}

/** The last statement, which gives the value, and where those before it begin, which bind its variables. */
function split(extents: Extents, whole: Part): { readonly statements?: Extent; readonly last: Part } {
  const { node, extent } = whole;
  const last = node.expressions?.at(-1);
  const statements = extents.of(node)?.operands ?? [];
  const [first] = statements;
  if (node.type !== 'block' || !isPlain(node) || last === undefined || first === undefined) return { last: whole };
  if (statements.length === 1) return split(extents, { node: last, extent: first });
  return { statements: first, last: { node: last, extent: statements.at(-1) ?? extent } };
}

const comparisons: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=', 'in']);

/** What is JSON of a value: no functions, and none of JSONata's marks on arrays. */
function toPlain(value: unknown): PlainValue | undefined {
  const isPlainItem = (item: unknown) => item !== undefined && !(item instanceof FunctionValue);
  const text = JSON.stringify(value, (_name, member: unknown) => {
    if (Array.isArray(member)) return member.filter(isPlainItem);
    return isPlainItem(member) ? member : undefined;
  });
  return text === undefined ? undefined : JSON.parse(text);
}
