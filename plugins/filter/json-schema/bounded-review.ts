import type { AnySchema } from 'ajv';
import type { Exchange, ExplainedCondition, FilterReview, ObservedCondition } from '../../../src/contract/index.ts';
import { inPlaceOrIsolated, type SchemaQuestion } from './in-place-or-isolated.ts';
import type { IsolatedSchema } from './isolated-schema.ts';
import { reviewOf, unseen } from './review.ts';
import { vocabularyOf } from './vocabulary.ts';
import { maxWork } from './work-meter.ts';
import type { WorstCase } from './worst-case.ts';

/** A review collects all errors, so its share is smaller. */
const reviewShare = 16;

/** The review of a schema. What may take too long is evaluated in a process of its own, as requests are. */
export function boundedReviewOf(schema: AnySchema, worstCase: WorstCase, isolated: IsolatedSchema): FilterReview {
  const review = reviewOf(schema);
  const limit = maxWork / reviewShare / (review.conditions.length + 1);
  const observed: SchemaQuestion<readonly ObservedCondition[]> = {
    wants: 'observed',
    maxWork: limit,
    inPlace: review.observe,
    failed: () => review.conditions.map(() => unseen),
  };
  const explained: SchemaQuestion<readonly ExplainedCondition[]> = {
    wants: 'explained',
    maxWork: limit,
    inPlace: review.explain,
    failed: (error) => [{ source: 'schema', passes: false, error }],
  };
  return {
    conditions: review.conditions,
    vocabulary: vocabularyOf(schema),
    observe: ({ input }: Exchange) => inPlaceOrIsolated(observed, input, worstCase, isolated),
    explain: ({ input }: Exchange) => inPlaceOrIsolated(explained, input, worstCase, isolated),
  };
}
