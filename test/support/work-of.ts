import { compileFilter, EvaluationError, toPlain, WorkBudget } from '../../src/filter/index.ts';
import { type Count, countWork } from './counted-work.ts';

export interface WorkOfEvaluation {
  /** Units that the evaluation says it spent. */
  readonly spent: number;
  /** What it did, counted independently. */
  readonly count: Count;
  /** The code of its error; undefined if it has a result. */
  readonly code: string | undefined;
}

/** Evaluates an expression and writes its result, with one budget. */
export function workOf(expression: string, input: unknown, limit: number): WorkOfEvaluation {
  const filter = compileFilter(expression, { limits: { maxSequence: 1_000_000 } });
  if (filter.mode !== 'compiled') throw new Error(`${expression} is isolated: ${filter.reason}`);
  const budget = new WorkBudget(limit);
  const options = { budget, now: 0, seed: 0 };
  const { count, error } = countWork(() => toPlain(filter.evaluate(input, {}, options), budget));
  if (error !== undefined && !(error instanceof EvaluationError)) throw error;
  return { spent: budget.spent, count, code: error?.code };
}
