import { WorkBudget } from '../work/work-budget.ts';
import { type CompileOptions, compileFilter } from './compile-filter.ts';
import { ExpressionError, type ExpressionProblem } from './expression-error.ts';
import type { MaybePromise } from './filter-expression.ts';
import { type Bindings, defaultLimits, type EvaluationOptions } from './limits.ts';
import { toPlain } from './to-plain.ts';

/** A compiled template. It can be rendered any number of times. */
export interface Template {
  /** Valid expressions that are almost certainly mistakes; offsets count from the start of the template. */
  readonly warnings: readonly ExpressionProblem[];
  /**
   * Renders strings verbatim, undefined as nothing, other values as JSON. Throws and rejects as `evaluate` does. All
   * expressions of the template share one budget.
   */
  render(input: unknown, bindings?: Bindings, options?: EvaluationOptions): MaybePromise<string>;
  /** Releases the processes of isolated evaluations. */
  close(): Promise<void>;
}

/**
 * Compiles a template in which `{{ expression }}` is replaced by the value of a JSONata expression. An expression ends at
 * the first `}}`: write `} }` inside of it. Throws an ExpressionError with all problems; offsets count from the start.
 */
export function compileTemplate(source: string, options: CompileOptions = {}): Template {
  const problems: ExpressionProblem[] = [];
  const parts = split(source).map((part) => {
    if (part.kind === 'text') return part;
    try {
      return { kind: 'value', offset: part.offset, expression: compileFilter(part.source, options) } as const;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      problems.push(...error.problems.map((problem) => shifted(problem, part.offset)));
      return { kind: 'text', text: '' } as const;
    }
  });
  if (problems.length > 0) throw new ExpressionError(problems);
  const values = parts.filter((part) => part.kind === 'value');
  const maxSteps = options.limits?.maxSteps ?? defaultLimits.maxSteps;
  return {
    warnings: values.flatMap(({ offset, expression }) => expression.warnings.map((one) => shifted(one, offset))),
    render(input, bindings, given) {
      const budget = given?.budget ?? new WorkBudget(maxSteps);
      const shared = { ...given, budget };
      const texts = parts.map((part) => {
        if (part.kind === 'text') return part.text;
        const value = part.expression.evaluate(input, bindings, shared);
        return value instanceof Promise ? value.then((settled) => textOf(budget, settled)) : textOf(budget, value);
      });
      return texts.some((text) => text instanceof Promise)
        ? Promise.all(texts).then((settled) => settled.join(''))
        : texts.join('');
    },
    async close() {
      await Promise.all(values.map(({ expression }) => expression.close()));
    },
  };
}

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'expression'; readonly source: string; readonly offset: number };

function split(source: string): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (;;) {
    const start = source.indexOf('{{', at);
    if (start === -1) return [...parts, { kind: 'text', text: source.slice(at) }];
    const end = source.indexOf('}}', start + 2);
    if (end === -1) throw new ExpressionError([{ message: 'there is no }} after this {{', offset: start }]);
    parts.push({ kind: 'text', text: source.slice(at, start) });
    parts.push({ kind: 'expression', source: source.slice(start + 2, end), offset: start + 2 });
    at = end + 2;
  }
}

function shifted(problem: ExpressionProblem, offset: number): ExpressionProblem {
  return { ...problem, offset: offset + (problem.offset ?? 0) };
}

function textOf(budget: WorkBudget, value: unknown): string {
  const plain = toPlain(value, budget);
  if (typeof plain === 'string') return plain;
  return plain === undefined ? '' : JSON.stringify(plain);
}
