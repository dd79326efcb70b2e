import type { Meter } from '../library/text-search.ts';

/** A match: its start, its text and its groups. Undefined for a group that did not take part in it. */
export interface Found {
  readonly start: number;
  readonly match: string;
  readonly groups: readonly (string | undefined)[];
}

/**
 * Matches one regular expression in linear time, and pays for each search before it reads the text. All engines find what
 * JavaScript's own RegExp finds: offsets are UTF-16 code units, and a dot matches half of a surrogate pair.
 */
export interface Engine {
  test(meter: Meter, text: string): boolean;
  /**
   * Finds the first match at or after `from`.
   * @param isNext whether it is the first search that continues from the end of a match
   */
  find(meter: Meter, text: string, from: number, isNext: boolean): Found | undefined;
}

/** What building a match costs, and each of its groups. */
export const costOfMatch = 12;
export const costOfGroup = 2;
