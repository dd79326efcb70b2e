import type { JsonObject, MaybePromise } from '../../../src/contract/index.ts';
import { type IsolatedSchema, IsolationError } from './isolated-schema.ts';
import { tooDeep } from './outcome.ts';
import type { SchemaJob } from './protocol.ts';
import { workLeft } from './work-left.ts';
import { WorkExceeded } from './work-meter.ts';
import type { WorstCase } from './worst-case.ts';

/** One question about a body, and the two ways to answer it. */
export interface SchemaQuestion<T> {
  readonly wants: SchemaJob['wants'];
  /** Units that answering in place may take. */
  readonly maxWork: number;
  /** @param left the units that are left for matching texts */
  readonly inPlace: (body: JsonObject, left: number) => T;
  /** The answer if there is none, for the reason given. */
  readonly failed: (reason: string) => T;
}

/** Answers in place if that stays within the limit for this body, and in a sandboxed process otherwise. */
export function inPlaceOrIsolated<T>(
  question: SchemaQuestion<T>,
  body: JsonObject,
  worstCase: WorstCase,
  isolated: IsolatedSchema,
): MaybePromise<T> {
  const { wants, maxWork, inPlace, failed } = question;
  try {
    const left = workLeft(worstCase, body, maxWork);
    if (left >= 0) return inPlace(body, left);
  } catch (error) {
    if (error instanceof RangeError) return failed(tooDeep);
    if (!(error instanceof WorkExceeded)) throw error;
  }
  return isolated.evaluate(wants, body).then(
    (value) => value as T,
    (error: unknown) => {
      if (error instanceof IsolationError) return failed(error.message);
      throw error;
    },
  );
}
