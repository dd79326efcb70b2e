import { WorkBudget } from '../contract/index.ts';

const mebibyte = 1 << 20;

/**
 * Units of work that one request may cost the event loop: 50 ms at most. Where the body limit is above a mebibyte, they grow
 * with it, since even one pass over such a body takes longer.
 */
export function workLimitOf(bodyLimitBytes: number): number {
  return WorkBudget.defaultLimit * Math.max(1, bodyLimitBytes / mebibyte);
}
