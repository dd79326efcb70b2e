import type { RunFailure } from '../../contract/index.ts';
import type { RunOutcome } from '../types/index.ts';

/** Says nothing of what was thrown: that may hold values of the body. */
export const unexpectedFailure: RunOutcome & { readonly kind: 'failed' } = {
  kind: 'failed',
  message: 'the run plugin failed unexpectedly',
  retryable: false,
};

/** The failure of a run that was cut short by a stop of the gateway. */
export const stopped: RunFailure = { message: 'the gateway stopped', retryable: true };

/** The failure of a run that cannot be taken up again, since parts of its input were masked in the store. */
export const maskedInput: RunFailure = {
  message: 'the gateway stopped, and the masked parts of the input were not stored',
  retryable: true,
};
