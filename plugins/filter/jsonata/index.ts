import {
  type Exchange,
  type FilterPlugin,
  type FilterResult,
  type FilterReview,
  OptionsError,
  WorkBudget,
  WorkExhausted,
} from '../../../src/contract/index.ts';
import {
  compileFilter,
  describeErrorCode,
  EvaluationError,
  ExpressionError,
  type FilterExpression,
  type FilterLimits,
  NoWorkerError,
} from '../../../src/filter/index.ts';
import { readsOf } from '../../expression-reads.ts';
import { bindingsFor, secretHeaderProblems } from '../../request-bindings.ts';
import { costOfSending } from '../../sending.ts';
import { circumstancesFor } from './circumstances.ts';
import { Judge } from './judge.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { reviewOf } from './review.ts';
import { shapesOf, variables } from './variables.ts';

const pointer = '/expression';

export default {
  contract: 'v1',
  stage: 'filter',
  name: 'jsonata',
  summary: 'Passes a request if a JSONata expression over its body is true.',
  optionsSchema: schema,
  create(context, options) {
    checkOptions(options);
    const expression = compile(options);
    context.onClose(() => expression.close());
    for (const warning of expression.warnings) context.report({ severity: 'warning', pointer, ...warning });
    context.report({ severity: 'note', pointer, message: modeOf(expression) });

    const bindings = bindingsFor(expression.variables, options, variables);
    const circumstances = circumstancesFor(expression.variables);
    // What the request had left does not limit a review, which has limits of its own.
    const unlimited = (exchange: Exchange) => circumstances({ ...exchange, work: new WorkBudget(Infinity) });
    let review: FilterReview | undefined;
    const failed = options.onError === 'pass' ? passedUnlessExhausted : errorResult;
    return {
      reads: readsOf(expression, options.expression, options),
      evaluate(exchange: Exchange) {
        try {
          if (expression.mode === 'isolated') payToSend(exchange);
          const options = { ...circumstances(exchange), budget: exchange.work };
          const passes = expression.passes(exchange.input, bindings(exchange), options);
          return passes instanceof Promise ? passes.then(resultOf, failed) : resultOf(passes);
        } catch (error) {
          return failed(error);
        }
      },
      review() {
        if (review !== undefined) return review;
        const judge = new Judge(expression, {
          given: (exchange) => [exchange.input, bindings(exchange), unlimited(exchange)],
          compile: (limits) => compile(options, limits),
          timeoutMs: options.timeout,
          pay: payToSend,
          resultOf,
          failed,
        });
        context.onClose(() => judge.close());
        review = reviewOf(expression, judge, options.onError);
        return review;
      },
    };
  },
} satisfies FilterPlugin<Options>;

function payToSend(exchange: Exchange): void {
  exchange.work.spend(costOfSending(exchange));
}

const passed: FilterResult = Object.freeze({ kind: 'passed' });
const dropped: FilterResult = Object.freeze({ kind: 'dropped', reason: 'the expression is not true' });

function resultOf(passes: boolean): FilterResult {
  return passes ? passed : dropped;
}

/** JSONata's messages contain values of the body, as may other fields of its errors: reports only code and position. */
function errorResult(error: unknown): FilterResult {
  if (WorkExhausted.is(error)) return { kind: 'error', reason: 'the request exceeds its limit of work' };
  if (error instanceof NoWorkerError) {
    return { kind: 'error', reason: `the expression was not evaluated: ${error.message}` };
  }
  if (!(error instanceof EvaluationError)) return { kind: 'error', reason: 'the expression could not be evaluated' };
  const at = error.position === undefined ? '' : ` at position ${error.position}`;
  return { kind: 'error', reason: `JSONata error ${error.code}${at}: ${describeErrorCode(error.code)}` };
}

/** A request whose body exhausts its work must not pass by that: the expression could not be evaluated only because of its size. */
function passedUnlessExhausted(error: unknown): FilterResult {
  const isExhausted = error instanceof EvaluationError && error.code === 'D1012' && error.details.isOutOfTime !== true;
  return isExhausted || WorkExhausted.is(error) ? errorResult(error) : passed;
}

function checkOptions(options: Options): void {
  const problems = secretHeaderProblems(options, 'filters');
  if (options.timeout <= 0) problems.push({ pointer: '/timeout', message: 'must be greater than 0' });
  if (problems.length > 0) throw new OptionsError(problems);
}

function compile(options: Options, more: Partial<FilterLimits> = {}): FilterExpression {
  const { expression, timeout, maxDepth, maxSequence } = options;
  try {
    const limits = { timeoutMs: timeout, maxDepth, maxSequence, ...more };
    return compileFilter(expression, { limits, bindings: shapesOf(options) });
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new OptionsError(error.problems.map((problem) => ({ pointer, ...problem })));
  }
}

function modeOf({ mode, reason }: FilterExpression): string {
  return mode === 'compiled' ? 'compiled' : `isolated, in a process of its own: ${reason}`;
}
