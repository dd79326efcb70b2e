import type { Exchange, FilterJudgement, FilterResult, FilterReview } from '../../../src/contract/index.ts';
import { mostAttempts, mostTimeouts, patientTimeoutMs } from '../patience.ts';
import { type BoundedSchema, inPlaceOrIsolated, type Payment, type SchemaQuestion } from './in-place-or-isolated.ts';
import { IsolatedSchema } from './isolated-schema.ts';
import type { Options } from './options.gen.ts';

/** The processes of a review: with a longer deadline than for a request. */
export function patientSchema({ schema, timeout }: Options): IsolatedSchema {
  return new IsolatedSchema(schema, patientTimeoutMs(timeout), mostAttempts);
}

/** Returns the function that decides as for a request, and independently of the speed of the machine. */
export function judgeOf(
  question: SchemaQuestion<FilterResult>,
  bounded: BoundedSchema,
  paymentOf: (exchange: Exchange) => Payment,
): NonNullable<FilterReview['judge']> {
  let timeouts = 0;
  const judged: SchemaQuestion<FilterJudgement> = {
    ...question,
    failed(reason, isOutOfTime) {
      if (!isOutOfTime) return question.failed(reason, isOutOfTime);
      timeouts += 1;
      return { kind: 'undecided', reason };
    },
  };
  return (exchange) =>
    timeouts < mostTimeouts
      ? inPlaceOrIsolated(judged, exchange.input, bounded, paymentOf(exchange))
      : { kind: 'undecided', reason: 'validation takes too long' };
}
