import type { ExplainedCondition, FilterReview } from '../../../src/contract/index.ts';
import type { ExplainedPart, Explanation, FilterExpression } from '../../../src/filter/index.ts';
import type { Judge } from './judge.ts';
import type { Options } from './options.gen.ts';

/** The review of an expression, evaluated with the same bindings and circumstances as for requests. */
export function reviewOf(expression: FilterExpression, judge: Judge, onError: Options['onError']): FilterReview {
  const { conditions, vocabulary, constant, mode } = expression;
  return {
    conditions: conditions.map((condition) => ({ pointer: '/expression', ...condition })),
    vocabulary,
    // A constant needs no input; an isolated one is judged like any other.
    ...(constant !== undefined && mode === 'compiled' && { always: outcomeOf(expression) }),
    failsOpen: onError === 'pass',
    // The work of a compiled expression is counted, so that it decides the same on any machine.
    ...(mode === 'isolated' && { judge: (exchange) => judge.judge(exchange) }),
    observe: (exchange) => judge.observe(exchange),
    explain: async (exchange) => explainedOf(await expression.explain(...judge.given(exchange)), onError),
  };
}

function outcomeOf(expression: FilterExpression): 'passed' | 'dropped' {
  return expression.passes({}) === true ? 'passed' : 'dropped';
}

function explainedOf({ conjuncts, error }: Explanation, onError: Options['onError']): readonly ExplainedCondition[] {
  const explained = conjuncts.map(({ sides, ...conjunct }) => ({
    ...conjunct,
    ...(sides && { parts: sides }),
    ...([conjunct, ...(sides ?? [])].some(hasPlace) && { pointer: '/expression' }),
  }));
  if (onError === 'drop') return explained;
  // A condition that fails lets the request pass, and later ones are not evaluated.
  const failed = explained.findIndex((condition) => condition.error !== undefined);
  const asked = error === undefined || failed < 0 ? explained : explained.slice(0, failed + 1);
  return asked.map((condition) => ({ ...condition, passes: condition.passes || condition.error !== undefined }));
}

function hasPlace({ errorOffset, parts = [] }: ExplainedPart): boolean {
  return errorOffset !== undefined || parts.some(hasPlace);
}
