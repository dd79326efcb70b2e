import { triggerName } from '../config/trigger-key.ts';
import type { FilterReview } from '../contract/index.ts';
import type { LiveTrigger } from '../runtime/snapshot.ts';

/** A filter's plugin failed to tell of itself: a fault of the plugin, whose `review` must not throw. */
export class ReviewError extends Error {
  override readonly name = 'ReviewError';
}

/** What one of a trigger's filters tells its reviewers; undefined if it tells nothing. Throws a ReviewError if that fails. */
export function reviewOf(trigger: LiveTrigger, index: number): FilterReview | undefined {
  const { name, instance } = trigger.filter[index] ?? {};
  const fail = (error: unknown): never => {
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
      observe: async (exchange) => (await tried(() => review.observe(exchange))) ?? [],
      explain: async (exchange) => (await tried(() => review.explain(exchange))) ?? [],
    }
  );

  async function tried<T>(ask: () => T): Promise<Awaited<T>> {
    try {
      return await ask();
    } catch (error) {
      return fail(error);
    }
  }
}
