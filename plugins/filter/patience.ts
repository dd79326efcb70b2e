/**
 * How patient a review is with a filter in a process of its own: a busy machine must not decide what a filter lets pass.
 */

const patience = 40;
const leastPatienceMs = 10_000;

/** The deadline of an evaluation, from the one that it has for a request. */
export function patientTimeoutMs(timeoutMs: number): number {
  return Math.max(timeoutMs * patience, leastPatienceMs);
}

/** How often it asks for a process: on a busy machine, one may take longer to start than a request may wait. */
export const mostAttempts = 24;
/** After this number of evaluations without a result, the filter is not evaluated again. */
export const mostTimeouts = 2;
