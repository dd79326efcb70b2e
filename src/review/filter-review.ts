import { triggerName } from '../config/trigger-key.ts';
import {
  type Exchange,
  type FilterJudgement,
  type FilterReview,
  type MaybePromise,
  WorkExhausted,
} from '../contract/index.ts';
import type { LiveTrigger } from '../runtime/snapshot.ts';

/** A filter plugin failed in `review`: a bug of the plugin, since `review` must not throw. */
export class ReviewError extends Error {
  override readonly name = 'ReviewError';
}

const undecided: FilterJudgement = { kind: 'undecided', reason: 'its plugin does not judge' };

/** Returns the review of one of a trigger's filters; undefined if it has none. Throws a ReviewError if that fails. */
export function reviewOf(trigger: LiveTrigger, index: number): FilterReview | undefined {
  const { name, instance } = trigger.filter[index] ?? {};
  const fail = (error: unknown): never => {
    // That a request exceeds its limit of work is an outcome.
    if (WorkExhausted.is(error)) throw error;
    const filterName = `filter "${name}" of ${triggerName(trigger)}`;
    throw new ReviewError(`${filterName}: its plugin failed in \`review\`: ${error}`);
  };
  let review: FilterReview | undefined;
  try {
    review = instance?.review?.();
  } catch (error) {
    return fail(error);
  }
  return (
    review && {
      conditions: review.conditions,
      vocabulary: review.vocabulary,
      ...(review.always !== undefined && { always: review.always }),
      failsOpen: review.failsOpen === true,
      ...(review.judge && { judge: (exchange: Exchange) => judged(review, exchange) }),
      observe: async (exchange) => (await tried(() => review.observe(exchange))) ?? [],
      explain: async (exchange) => (await tried(() => review.explain(exchange))) ?? [],
    }
  );

  /** Not always a promise: a plan asks for thousands. */
  function judged({ judge }: FilterReview, exchange: Exchange): MaybePromise<FilterJudgement> {
    try {
      const judgement = judge?.(exchange) ?? undecided;
      return judgement instanceof Promise ? judgement.catch(fail) : judgement;
    } catch (error) {
      return fail(error);
    }
  }

  async function tried<T>(ask: () => T): Promise<Awaited<T>> {
    try {
      return await ask();
    } catch (error) {
      return fail(error);
    }
  }
}
