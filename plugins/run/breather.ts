import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a loop may keep all else waiting, in milliseconds. */
const turnMs = 20;

/**
 * Makes what a loop over what has arrived awaits now and then. Without it the loop goes on for as long as more arrives than
 * it takes, and no timer fires meanwhile: deadlines would not act, and other runs would stand still.
 */
export function createBreather(): () => Promise<void> | undefined {
  let beganAt = performance.now();
  return () => {
    if (performance.now() - beganAt < turnMs) return undefined;
    return nextTurn().then(() => {
      beganAt = performance.now();
    });
  };
}
