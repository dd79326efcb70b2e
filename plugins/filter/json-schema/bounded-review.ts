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

type Judge = NonNullable<FilterReview['judge']>;

/** The review of a schema. What may take too long is evaluated in a process of its own, as requests are. */
export function boundedReviewOf(schema: AnySchema, bounded: BoundedSchema, judge: Judge): FilterReview {
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
    ...(isConstant(schema) && { always: schema === false ? 'dropped' : 'passed' }),
    judge,
    observe: ({ input }: Exchange) => inPlaceOrIsolated(observed, input, bounded, payment()),
    explain: ({ input }: Exchange) => inPlaceOrIsolated(explained, input, bounded, payment()),
  };
}

/** Keywords that constrain nothing. */
const annotations: ReadonlySet<string> = new Set([
  ...['$schema', '$id', '$comment', 'title', 'description', 'default', 'examples'],
]);

/** Whether a schema has the same result for every body, without looking deeper. */
function isConstant(schema: AnySchema): boolean {
  if (typeof schema === 'boolean') return true;
  return Object.entries(schema).every(
    // A body is always an object.
    ([keyword, value]) => annotations.has(keyword) || (keyword === 'type' && value === 'object'),
  );
}
