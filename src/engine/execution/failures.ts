import type { RunFailure } from '../../contract/index.ts';
import type { RunOutcome } from '../types/index.ts';

/** Does not mention what was thrown: an error message may contain values of the body. */
export const unexpectedFailure: RunOutcome & { readonly kind: 'failed' } = {
  kind: 'failed',
  message: 'the run plugin failed unexpectedly',
  retryable: false,
};

/** The failure of a run that the gateway interrupted when it stopped. */
export const stopped: RunFailure = { message: 'the gateway stopped', retryable: true };

/** The failure of a run that cannot be resumed because parts of its input were masked in the store. */
export const maskedInput: RunFailure = {
  message: 'the gateway stopped, and the masked parts of the input were not stored',
  retryable: true,
};

/** The failure of a run whose process has died each time that it was executed. Trying it again would repeat that. */
export function tooOftenInterrupted(interruptions: number): RunFailure {
  const times = interruptions === 1 ? 'once' : `${interruptions} times`;
  return {
    message: `the gateway died ${times} while it executed this run, so it is not executed again`,
    retryable: false,
  };
}

/** The message of an attempt that ended with its process. */
export const died = 'the gateway died';

export const oversizedMemory: RunFailure = {
  message: 'the run plugin returned more memory than a session can hold (1 MiB)',
  retryable: false,
};
