import type { LimitCharge } from '../../engine/types/index.ts';
import type { LiveLimit } from './live-limit.ts';

/** A limit that had no room for a request, and which of its counters. */
export interface CountedLimit {
  readonly limit: LiveLimit;
  /** The value of `per`; empty without `per`. */
  readonly value: string;
}

/** The limit that an engine names, with the value that it was charged for. */
export function countedLimit(limits: readonly LiveLimit[], charges: readonly LimitCharge[], id: string): CountedLimit {
  return { limit: limitOf(limits, id), value: charges.find(({ limit }) => limit === id)?.value ?? '' };
}

/** The limit that an engine names. */
function limitOf(limits: readonly LiveLimit[], id: string): LiveLimit {
  const limit = limits.find((one) => one.id === id);
  if (limit === undefined) throw new Error(`a limit was charged that does not apply: ${id}`);
  return limit;
}
