import { EvaluationError, type FilterExpression, toPlain, WorkBudget } from '../../../src/filter/index.ts';
import { counted, countWork } from '../../support/counted-work.ts';
import { Fault, type Outcome, promised } from '../engine/target.ts';
import { CountedBudget } from './counted-budget.ts';

/** From this number of units on, the work of an evaluation is counted independently: that takes long. */
const countedFrom = 5_000;
/** As in the test of each operation: what is too small to be paid, items copied in one unit, and characters searched in it. */
const free = 500;
const itemsPerUnit = 8;
const charactersPerUnit = 64;

/**
 * Evaluates an expression and writes its result with the budget of a request, as a mapping does. Throws an EvaluationError,
 * and a Fault if it did more than it paid.
 */
export function evaluatedWithin(expression: FilterExpression, body: unknown): Outcome {
  const budget = new CountedBudget();
  try {
    return { ...resultOf(expression, body, budget), work: budget.work };
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return { kind: 'refused', code: error.code, work: budget.work };
  } finally {
    if (budget.spent >= countedFrom) checkPaid(expression, body);
  }
}

function resultOf(expression: FilterExpression, body: unknown, budget: WorkBudget): Outcome {
  const value = expression.evaluate(body, {}, { budget, now: 0, seed: 0 });
  promised(!(value instanceof Promise), 'a compiled expression is evaluated at once');
  const plain = toPlain(value, budget);
  const text = JSON.stringify(plain) ?? '';
  return { kind: 'value', code: plain === null ? 'null' : typeof plain, size: text.length };
}

/** Evaluates again, and compares what was paid with what was done. */
function checkPaid(expression: FilterExpression, body: unknown): void {
  const budget = new WorkBudget(countedFrom);
  const names = namesIn(body);
  const { count, error } = countWork(() =>
    toPlain(expression.evaluate(counted(body), {}, { budget, now: 0, seed: 0 }), budget),
  );
  if (error !== undefined && !(error instanceof EvaluationError)) throw error;
  const paid = budget.spent + free;
  const isPaid =
    count.items <= paid * itemsPerUnit &&
    count.characters <= paid * charactersPerUnit &&
    // The names of an object are only known once they are listed.
    count.names <= paid * itemsPerUnit + names;
  if (!isPaid) throw new Fault('work beyond its limit', `${budget.spent} units paid for ${JSON.stringify(count)}`);
}

/** The names of the widest object in a value. */
function namesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  return members.reduce<number>((most, member) => Math.max(most, namesIn(member)), members.length);
}
