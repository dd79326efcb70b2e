/** The longest delay that a timer of Node takes, in milliseconds, about 24.8 days; longer ones would fire at once. */
export const longestTimerMs = 2 ** 31 - 1;
