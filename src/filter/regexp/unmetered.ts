import type { Meter } from '../library/text-search.ts';

/** For what is limited otherwise. */
export const unmetered: Meter = { spend() {}, spendText() {}, afford() {} };
