import { WorkExhausted } from '../contract/index.ts';
import type { FilterError } from './verdict.ts';

/** The verdict if the request exceeded its limit of work; anything else that a plugin throws is a bug. */
export function exhausted(by: string, error: unknown): FilterError {
  if (!WorkExhausted.is(error)) throw error;
  return { kind: 'filter_error', by, reason: 'the request exceeds its limit of work' };
}
