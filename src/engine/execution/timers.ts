/** Tells the time in milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** Beyond this many milliseconds, 24.8 days, a timer of Node fires at once. */
export const longestTimerMs = 2 ** 31 - 1;
