import { WorkBudget } from '../work/work-budget.ts';
import { describeErrorCode } from './error-words.ts';
import { EvaluationError, toEvaluationError } from './evaluation-error.ts';
import { ExpressionError } from './expression-error.ts';
import type { Conjunct, ExplainedPart, Explanation, FilterExpression } from './filter-expression.ts';
import type { Bindings, Circumstances } from './limits.ts';
import { isPlain, type Node, unlessTooDeep } from './node.ts';
import { offsetOfToken } from './parse.ts';
import { type Extent, type Extents, extentsOf } from './review/extents.ts';
import { operandsOf } from './review/operands.ts';
import { joinedParts, type Part } from './review/parts.ts';
import { toPlain } from './to-plain.ts';
import { isTruthy } from './value.ts';

export type Given = [input: unknown, bindings?: Bindings, circumstances?: Partial<Circumstances>];

/** The maximum number of conjuncts reported. */
const mostConjuncts = 100;
/** The maximum number of parts below them, and how deep they nest. */
const mostParts = 300;
const deepest = 8;
/** Pays for writing the values of all parts below the conjuncts: some 200 KB of text. */
const workOfParts = 30_000;
/** The time budget for all parts together, in milliseconds; each part alone may take as long as a whole evaluation. */
const budgetMs = 2000;
const noTimeLeft = 'no time left to evaluate it';
const tooLarge = 'its value is too large to show';

/**
 * Evaluates an expression, each of its top-level conjuncts, and the operands and arguments in it separately. That includes
 * parts that the evaluation itself never reaches because `and` short-circuits.
 */
export async function explain(
  compile: (source: string) => FilterExpression,
  source: string,
  root: Node,
  given: Given,
): Promise<Explanation> {
  const written = unlessTooDeep(() => writtenOf(source, root), undefined);
  const explainer = new Explainer(compile, source, given, written);
  const whole = await explainer.whole();
  const conjuncts: Conjunct[] = [];
  for (const part of written?.conjuncts ?? []) conjuncts.push(await explainer.conjunct(part));
  return { ...whole, conjuncts: conjuncts.length === 0 ? [whole] : conjuncts };
}

/** An expression as it is written. */
interface Written {
  readonly extents: Extents;
  /** The statements that must run before any part: they bind its variables. */
  readonly prefix: string;
  readonly prefixStart: number;
  readonly conjuncts: readonly Part[];
}

function writtenOf(source: string, root: Node): Written {
  const extents = extentsOf(source);
  const { statements, last } = split(extents, { node: root, extent: extents.whole });
  const prefixStart = statements?.start ?? 0;
  const prefix = statements === undefined ? '' : source.slice(prefixStart, last.extent.start);
  return { extents, prefix, prefixStart, conjuncts: joinedParts(extents, last, 'and').slice(0, mostConjuncts) };
}

interface EvaluatedPart extends ExplainedPart {
  readonly passes: boolean;
}

class Explainer {
  readonly #compile: (source: string) => FilterExpression;
  readonly #source: string;
  readonly #given: Required<Given>;
  readonly #written: Written | undefined;
  readonly #endsAt = performance.now() + budgetMs;
  readonly #work = new WorkBudget(workOfParts);
  #partsLeft = mostParts;

  constructor(
    compile: (source: string) => FilterExpression,
    source: string,
    [input, bindings = {}, circumstances]: Given,
    written: Written | undefined,
  ) {
    this.#compile = compile;
    this.#source = source;
    // One clock and seed for all parts.
    const same = { now: Date.now(), seed: Math.floor(Math.random() * 2 ** 32), ...circumstances };
    this.#given = [input, bindings, same];
    this.#written = written;
  }

  whole(): Promise<EvaluatedPart> {
    return this.#evaluate(this.#source, 0, '');
  }

  async conjunct(part: Part): Promise<Conjunct> {
    const conjunct = await this.#evaluatePart(part);
    const { operator, operands = [] } = this.#written?.extents.of(part.node) ?? {};
    const [left, right] = operands;
    const [leftNode, rightNode] = [part.node.lhs as Node | undefined, part.node.rhs];
    const compares = comparisons.has(operator ?? '') && part.node.type === 'binary';
    if (!compares || left === undefined || right === undefined || leftNode === undefined || rightNode === undefined) {
      return { ...conjunct, ...(await this.#partsOf(part, 0)) };
    }
    const sides = [
      await this.#side({ node: leftNode, extent: left }),
      await this.#side({ node: rightNode, extent: right }),
    ] as const;
    return { ...conjunct, ...(operator !== undefined && { operator }), sides };
  }

  async #side(part: Part): Promise<ExplainedPart> {
    return { ...withoutVerdict(await this.#evaluatePart(part)), ...(await this.#partsOf(part, 0)) };
  }

  /** The operands and arguments of a part, without literals: those are their own values. */
  async #partsOf(part: Part, depth: number): Promise<{ readonly parts?: readonly ExplainedPart[] }> {
    if (this.#written === undefined || depth >= deepest) return {};
    const parts: ExplainedPart[] = [];
    for (const operand of operandsOf(this.#written.extents, part)) {
      if (this.#partsLeft === 0 || performance.now() > this.#endsAt) break;
      this.#partsLeft -= 1;
      const evaluated = withoutVerdict(await this.#evaluatePart(operand, this.#work));
      // That $exists is false says it already.
      const isSaid = part.node.procedure?.value === 'exists' && !('value' in evaluated) && !('error' in evaluated);
      if (isSaid) continue;
      parts.push({ ...evaluated, ...(await this.#partsOf(operand, depth + 1)) });
    }
    return parts.length === 0 ? {} : { parts };
  }

  #evaluatePart({ extent: { start, end } }: Part, budget?: WorkBudget): Promise<EvaluatedPart> {
    return this.#evaluate(this.#source.slice(start, end), start, this.#written?.prefix ?? '', budget);
  }

  /** @param budget pays for writing the value; by default a budget of its own */
  async #evaluate(text: string, start: number, prefix: string, budget?: WorkBudget): Promise<EvaluatedPart> {
    const base = { source: text, passes: false };
    if (performance.now() > this.#endsAt) return { ...base, error: noTimeLeft };
    const whole = prefix === '' ? text : `(${prefix}${text})`;
    let part: FilterExpression | undefined;
    try {
      part = this.#compile(whole);
      const value = await part.evaluate(...this.#given);
      const plain = toPlain(value, budget, 'as they are');
      const shown = { ...base, ...(plain !== undefined && { value: plain }) };
      return { ...shown, ...verdictOf(value, start) };
    } catch (error) {
      // The whole expression parsed, so a part that does not parse nests too deeply for the remaining stack.
      const failure = error instanceof ExpressionError ? new EvaluationError('D1011') : toEvaluationError(error);
      const { code, position, token = '', details } = failure;
      if (budget !== undefined && details.isResult === true) return { ...base, error: tooLarge };
      const { offset } = offsetOfToken(whole, position, token);
      const errorOffset = offset === undefined ? start : this.#offsetIn(offset, start, prefix);
      return { ...base, error: code, errorMessage: describeErrorCode(code), errorOffset };
    } finally {
      await part?.close();
    }
  }

  /** Where an offset in the evaluated text is in the source. */
  #offsetIn(offset: number, start: number, prefix: string): number {
    if (prefix === '') return start + offset;
    const inPrefix = offset - 1;
    if (inPrefix < prefix.length) return (this.#written?.prefixStart ?? 0) + Math.max(0, inPrefix);
    return start + inPrefix - prefix.length;
  }
}

/** An infinite number is neither true nor false. */
function verdictOf(value: unknown, start: number): Omit<EvaluatedPart, 'source'> {
  try {
    return { passes: isTruthy(undefined, value) };
  } catch (error) {
    const { code } = toEvaluationError(error);
    return { passes: false, error: code, errorMessage: describeErrorCode(code), errorOffset: start };
  }
}

/** As an operand, an infinite number is a value like others. */
function withoutVerdict({ passes: _passes, ...part }: EvaluatedPart): ExplainedPart {
  const { error: _error, errorMessage: _message, errorOffset: _offset, ...operand } = part;
  return part.value === undefined ? part : operand;
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
