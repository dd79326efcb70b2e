import { WorkExhausted } from '../contract/index.ts';
import type { FilterError } from './verdict.ts';

/** The verdict if the request exceeded its limit of work; anything else that a plugin throws is a bug. */
export function exhausted(by: string, error: unknown): FilterError {
  if (!WorkExhausted.is(error)) throw error;
  return { kind: 'filter_error', by, reason: 'the request exceeds its limit of work' };
}

/** What a stage has found in a request, or why it cannot be evaluated for it. */
export type FoundBy<Found> = Found | { readonly ok: false; readonly error: FilterError };

/** Finds something in a request for a stage. A value that cannot be found, and one that takes too much work, are the verdict. */
export function foundBy<Found extends { readonly ok: true }>(
  by: string,
  find: () => Found | { readonly ok: false; readonly message: string },
): FoundBy<Found> {
  try {
    const found = find();
    return found.ok ? found : { ok: false, error: { kind: 'filter_error', by, reason: found.message } };
  } catch (error) {
    return { ok: false, error: exhausted(by, error) };
  }
}
