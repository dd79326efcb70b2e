import { InvalidArgumentError } from 'commander';
import { parseRate } from '../../schema/rate.ts';

/** How often something may begin. */
export interface BulkRate {
  readonly amount: number;
  readonly perMs: number;
  /** As it was written. */
  readonly text: string;
}

const longestMs = 24 * 3_600_000;

/** Reads `5/s`, `60/1m`: the number before the unit may be left out. */
export function parseBulkRate(text: string): BulkRate {
  const parsed = parseRate(text.replace(/\/(ms|s|m|h)$/, '/1$1'), 'count');
  if (!parsed.ok) throw new InvalidArgumentError(`It ${parsed.fault}, or 5/s.`);
  const { amount, window } = parsed.rate;
  if (window.kind !== 'period' || window.ms > longestMs) {
    throw new InvalidArgumentError('Its period must be at most 24h, e.g. 5/s.');
  }
  return { amount, perMs: window.ms, text };
}
