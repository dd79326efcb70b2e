import type { AnySchema } from 'ajv';
import type {
  Exchange,
  ExplainedCondition,
  FilterReview,
  JsonObject,
  MaybePromise,
  ObservedCondition,
} from '../../../src/contract/index.ts';
import { type IsolatedSchema, IsolationError } from './isolated-schema.ts';
import type { SchemaJob } from './protocol.ts';
import { reviewOf, unseen } from './review.ts';
import { vocabularyOf } from './vocabulary.ts';
import { workLeft } from './work-left.ts';
import { maxWork, WorkExceeded } from './work-meter.ts';
import type { WorstCase } from './worst-case.ts';

/** A review collects all errors, so its share is smaller. */
const reviewShare = 16;

/** The review of a schema. What may take too long is evaluated in a process of its own, as requests are. */
export function boundedReviewOf(schema: AnySchema, worstCase: WorstCase, isolated: IsolatedSchema): FilterReview {
  const review = reviewOf(schema);
  const limit = maxWork / reviewShare / (review.conditions.length + 1);
  const within = <T>(
    input: JsonObject,
    wants: SchemaJob['wants'],
    inPlace: (left: number) => T,
    otherwise: (reason: string) => T,
  ): MaybePromise<T> => {
    try {
      const left = workLeft(worstCase, input, limit);
      if (left >= 0) return inPlace(left);
    } catch (error) {
      if (error instanceof RangeError) return otherwise('the schema recurses too deeply');
      if (!(error instanceof WorkExceeded)) throw error;
    }
    return isolated.evaluate(wants, input).then(
      (value) => value as T,
      (error: unknown) => {
        if (error instanceof IsolationError) return otherwise(error.message);
        throw error;
      },
    );
  };
  return {
    conditions: review.conditions,
    vocabulary: vocabularyOf(schema),
    observe: ({ input }: Exchange) =>
      within<readonly ObservedCondition[]>(
        input,
        'observed',
        (left) => review.observe(input, left),
        () => review.conditions.map(() => unseen),
      ),
    explain: ({ input }: Exchange) =>
      within<readonly ExplainedCondition[]>(
        input,
        'explained',
        (left) => review.explain(input, left),
        (error) => [{ source: 'schema', passes: false, error }],
      ),
  };
}
