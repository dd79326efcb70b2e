import { EvaluationError, toEvaluationError } from './evaluation-error.ts';
import { ExpressionError } from './expression-error.ts';
import type { Conjunct, ExplainedPart, Explanation, FilterExpression } from './filter-expression.ts';
import type { Bindings, Circumstances } from './limits.ts';
import { isPlain, type Node, unlessTooDeep } from './node.ts';
import { type Extent, type Extents, extentsOf } from './review/extents.ts';
import { joinedParts, type Part } from './review/parts.ts';
import { toPlain } from './to-plain.ts';
import { isTruthy } from './value.ts';

export type Given = [input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>];

/** The maximum number of conjuncts reported. */
const mostConjuncts = 100;
/** The time budget for all parts together, in milliseconds; each part alone may take as long as a whole evaluation. */
const budgetMs = 2000;
const noTimeLeft = 'no time left to evaluate it';

/**
 * Evaluates an expression, each of its top-level conjuncts, and both sides of each comparison separately. That includes
 * parts that the evaluation itself never reaches because `and` short-circuits.
 */
export async function explain(
  compile: (source: string) => FilterExpression,
  source: string,
  root: Node,
  [input, bindings, circumstances]: Given,
): Promise<Explanation> {
  // One clock and seed for all parts.
  const same = { now: Date.now(), seed: Math.floor(Math.random() * 2 ** 32), ...circumstances };
  const endsAt = performance.now() + budgetMs;
  const evaluate = async (text: string, prefix = ''): Promise<EvaluatedPart> => {
    if (performance.now() > endsAt) return { source: text, error: noTimeLeft, passes: false };
    let part: FilterExpression | undefined;
    try {
      part = compile(prefix === '' ? text : `(${prefix}${text})`);
      const value = await part.evaluate(input, bindings, same);
      const plain = toPlain(value);
      return { source: text, passes: isTruthy(undefined, value), ...(plain !== undefined && { value: plain }) };
    } catch (error) {
      // The whole expression parsed, so a part that does not parse nests too deeply for the remaining stack.
      const { code } = error instanceof ExpressionError ? new EvaluationError('D1011') : toEvaluationError(error);
      return { source: text, error: code, passes: false };
    } finally {
      await part?.close();
    }
  };

  const whole = await evaluate(source);
  const explained: Conjunct[] = [];
  for (const { text, operator, sides, prefix } of unlessTooDeep(() => conjunctsOf(source, root), [])) {
    const conjunct = await evaluate(text, prefix);
    if (sides === undefined) {
      explained.push(conjunct);
      continue;
    }
    const left = withoutVerdict(await evaluate(sides[0], prefix));
    const right = withoutVerdict(await evaluate(sides[1], prefix));
    explained.push({ ...conjunct, operator, sides: [left, right] });
  }
  return { ...whole, conjuncts: explained.length === 0 ? [whole] : explained };
}

/** A conjunct as written in the source. */
interface WrittenConjunct {
  readonly text: string;
  /** The statements that must run first: they bind its variables. */
  readonly prefix: string;
  readonly operator: string;
  /** Both sides, if it is a comparison. */
  readonly sides?: readonly [string, string];
}

function conjunctsOf(source: string, root: Node): readonly WrittenConjunct[] {
  const extents = extentsOf(source);
  const textOf = ({ start, end }: Extent) => source.slice(start, end);
  const { statements, last } = split(extents, { node: root, extent: extents.whole });
  const prefix = statements === undefined ? '' : source.slice(statements.start, last.extent.start);
  return joinedParts(extents, last, 'and')
    .slice(0, mostConjuncts)
    .map(({ node, extent }) => {
      const { operator = '', operands = [] } = extents.of(node) ?? {};
      const [left, right] = operands;
      const compares = comparisons.has(operator) && node.type === 'binary' && left !== undefined && right !== undefined;
      return { text: textOf(extent), prefix, operator, ...(compares && { sides: [textOf(left), textOf(right)] }) };
    });
}

interface EvaluatedPart extends ExplainedPart {
  readonly passes: boolean;
}

function withoutVerdict({ passes: _passes, ...part }: EvaluatedPart): ExplainedPart {
  return part;
}

/** The last statement, which returns the value, and the extent of those before it, which bind its variables. */
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
