import type { AnySchema } from 'ajv';
import {
  type Exchange,
  type ExplainedCondition,
  type FilterReview,
  type ObservedCondition,
  WorkBudget,
} from '../../../src/contract/index.ts';
import { type BoundedSchema, inPlaceOrIsolated, type SchemaQuestion } from './in-place-or-isolated.ts';
import { reviewOf, unseen } from './review.ts';
import { vocabularyOf } from './vocabulary.ts';

/** A review collects all errors, so its share is smaller. */
const reviewShare = 8;

/** The review of a schema. What may take too long is evaluated in a process of its own, as requests are. */
export function boundedReviewOf(schema: AnySchema, bounded: BoundedSchema): FilterReview {
  const review = reviewOf(schema);
  const limit = WorkBudget.defaultLimit / reviewShare / (review.conditions.length + 1);
  const payment = () => ({ work: new WorkBudget(limit), toSend: 0 });
  const observed: SchemaQuestion<readonly ObservedCondition[]> = {
    wants: 'observed',
    inPlace: review.observe,
    failed: () => review.conditions.map(() => unseen),
  };
  const explained: SchemaQuestion<readonly ExplainedCondition[]> = {
    wants: 'explained',
    inPlace: review.explain,
    failed: (error) => [{ source: 'schema', passes: false, error }],
  };
  return {
    conditions: review.conditions,
    vocabulary: vocabularyOf(schema),
    observe: ({ input }: Exchange) => inPlaceOrIsolated(observed, input, bounded, payment()),
    explain: ({ input }: Exchange) => inPlaceOrIsolated(explained, input, bounded, payment()),
  };
}
