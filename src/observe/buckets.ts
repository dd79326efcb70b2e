import type { Buckets } from './histogram.ts';

/** Upper bounds, in seconds except for `operations`. Fixed: queries over months compare them. */
export const buckets = {
  /** A request may wait for its run. */
  request: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  queue: [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 21_600],
  attempt: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600],
  firstDelta: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60],
  callback: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
  commit: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  operations: [1, 2, 5, 10, 20, 50, 100, 200, 500],
} as const satisfies Record<string, Buckets>;
