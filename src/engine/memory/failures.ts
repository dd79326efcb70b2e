import type { RunFailure, RunOutcome } from '../../contract/index.ts';

/** Says nothing of what was thrown: that may hold values of the body. */
export const unexpectedFailure: RunOutcome & { readonly kind: 'failed' } = {
  kind: 'failed',
  message: 'the run plugin failed unexpectedly',
  retryable: false,
};

/** The failure of a run that was cut short by a stop of the gateway. */
export const stopped: RunFailure = { message: 'the gateway stopped', retryable: true };
