/** The time of day, in milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** The longest delay that a timer of Node supports (24.8 days): a longer one fires at once. */
export const longestTimerMs = 2 ** 31 - 1;
