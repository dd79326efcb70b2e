import { died, maskedInput, stopped } from '../../execution/failures.ts';
import { pauseMs } from '../../execution/suspect-pause.ts';
import { endFunctions } from './endings.ts';
import { limitFunctions } from './limits.ts';
import { nodeFunctions } from './nodes.ts';
import { recordingFunctions } from './recordings.ts';
import { submitFunctions } from './submissions.ts';
import { takeFunctions } from './taking.ts';

/** Of the texts below; to be raised when one of them changes, so that an earlier release does not put its own back. */
export const functionsRelease = 2;

/**
 * The steps of the engine as functions of the database: one call is one transaction. Their names begin with the version of what
 * they take and return: a release that changes that installs others beside them, so that nodes of both go on during a rolling
 * update. Those of one version may be replaced by a later release that fixes them.
 */
export function functions(): string {
  const values: Readonly<Record<string, string>> = {
    died: died.replaceAll("'", "''"),
    stopped: stopped.message.replaceAll("'", "''"),
    maskedInput: JSON.stringify(maskedInput).replaceAll("'", "''"),
    tooOften: JSON.stringify({
      message: 'the gateway died %s times while it executed this run, so it is not executed again',
      retryable: false,
    }),
    firstPauseMs: String(pauseMs.first),
    longestPauseMs: String(pauseMs.most),
    dropAfterMs: '60000',
  };
  const all = [endFunctions, limitFunctions, takeFunctions, submitFunctions, nodeFunctions, recordingFunctions].join(
    '\n',
  );
  return all.replace(/\{([a-z]\w+)\}/gi, (whole, name: string) => values[name] ?? whole);
}
