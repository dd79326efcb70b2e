import { type JsonObject, type MaybePromise, WorkBudget, WorkExhausted } from '../../../src/contract/index.ts';
import { type IsolatedSchema, IsolationError } from './isolated-schema.ts';
import { tooDeep } from './outcome.ts';
import type { SchemaJob } from './protocol.ts';
import { workLeft } from './work-left.ts';
import type { WorstCase } from './worst-case.ts';

/** The part of a budget that validating in place may take: the stages that follow need some too. */
export const share = 15 / 16;

/** One question about a body, and the two ways to answer it. */
export interface SchemaQuestion<T> {
  readonly wants: SchemaJob['wants'];
  /** @param work pays for matching texts */
  readonly inPlace: (body: JsonObject, work: WorkBudget) => T;
  /** The answer if there is none, for the reason given: because of the body, or because the machine is too slow. */
  readonly failed: (reason: string, isOutOfTime: boolean) => T;
}

/** A schema, and the processes that validate against it where its worst case is too costly. */
export interface BoundedSchema {
  readonly worstCase: WorstCase;
  readonly isolated: IsolatedSchema;
}

/** What pays for the answer. */
export interface Payment {
  readonly work: WorkBudget;
  /** Units to send the body to a process. */
  readonly toSend: number;
}

/** Answers in place if a share of the budget pays for this body, and in a sandboxed process otherwise. */
export function inPlaceOrIsolated<T>(
  { wants, inPlace, failed }: SchemaQuestion<T>,
  body: JsonObject,
  { worstCase, isolated }: BoundedSchema,
  { work, toSend }: Payment,
): MaybePromise<T> {
  try {
    const limit = work.left * share;
    const left = workLeft(worstCase, body, limit);
    if (left >= 0) {
      const forTexts = new WorkBudget(left);
      try {
        return inPlace(body, forTexts);
      } finally {
        work.spend(limit - forTexts.left);
      }
    }
  } catch (error) {
    if (error instanceof RangeError) return failed(tooDeep, false);
    if (!WorkExhausted.is(error)) throw error;
  }
  work.spend(toSend);
  return isolated.evaluate(wants, body).then(
    (value) => value as T,
    (error: unknown) => {
      if (error instanceof IsolationError) return failed(error.message, error.isOutOfTime);
      throw error;
    },
  );
}
