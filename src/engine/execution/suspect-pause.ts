/** The pause after the first interruption, and the longest, in milliseconds. */
export const pauseMs = { first: 2000, most: 5 * 60_000 };

/** How long a suspect waits after the start of the process: twice as long with each time that it was interrupted. */
export function suspectPauseMs(interruptions: number): number {
  return Math.min(pauseMs.first * 2 ** (interruptions - 1), pauseMs.most);
}
