import { type Exchange, type ExplainedCondition, type FilterReview, WorkBudget } from '../../../src/contract/index.ts';
import type { Bindings, Circumstances, Explanation, FilterExpression } from '../../../src/filter/index.ts';
import type { Options } from './options.gen.ts';

/** The review of an expression, evaluated with the same bindings and circumstances as for requests. */
export function reviewOf(
  expression: FilterExpression,
  bindings: (exchange: Exchange) => Bindings | undefined,
  circumstances: (exchange: Exchange) => Circumstances,
  onError: Options['onError'],
): FilterReview {
  const { conditions, vocabulary } = expression;
  // What the request had left does not limit a review, which has limits of its own.
  const unlimited = (exchange: Exchange) => circumstances({ ...exchange, work: new WorkBudget(Infinity) });
  const given = (exchange: Exchange) => [exchange.input, bindings(exchange), unlimited(exchange)] as const;
  return {
    conditions: conditions.map((condition) => ({ pointer: '/expression', ...condition })),
    vocabulary,
    observe: (exchange) => expression.observe(...given(exchange)),
    explain: async (exchange) => explainedOf(await expression.explain(...given(exchange)), onError),
  };
}

function explainedOf({ conjuncts, error }: Explanation, onError: Options['onError']): readonly ExplainedCondition[] {
  const explained = conjuncts.map(({ sides, ...conjunct }) => ({ ...conjunct, ...(sides && { parts: sides }) }));
  if (onError === 'drop') return explained;
  // A condition that fails lets the request pass, and later ones are not evaluated.
  const failed = explained.findIndex((condition) => condition.error !== undefined);
  const asked = error === undefined || failed < 0 ? explained : explained.slice(0, failed + 1);
  return asked.map((condition) => ({ ...condition, passes: condition.passes || condition.error !== undefined }));
}
