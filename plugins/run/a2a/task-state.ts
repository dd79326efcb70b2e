import type { FailedRunResult, JsonValue } from '../../../src/contract/index.ts';
import { failed, membersOf } from '../../../src/run-kit/index.ts';

/** What the state of a task means for its run. `working`: the agent continues by itself. */
export type Meaning = 'working' | 'completed' | 'input_required' | FailedRunResult;

export const needsAuthorization = failed('the task needs an authorization that a run cannot give');

const meanings: ReadonlyMap<JsonValue | undefined, Meaning> = new Map<JsonValue | undefined, Meaning>([
  // An agent that reports no state has not said that it is done.
  [undefined, 'working'],
  ['TASK_STATE_UNSPECIFIED', 'working'],
  // Of 0.3 only.
  ['TASK_STATE_UNKNOWN', 'working'],
  ['TASK_STATE_SUBMITTED', 'working'],
  ['TASK_STATE_WORKING', 'working'],
  ['TASK_STATE_COMPLETED', 'completed'],
  ['TASK_STATE_INPUT_REQUIRED', 'input_required'],
  ['TASK_STATE_FAILED', failed('the task failed', true)],
  ['TASK_STATE_REJECTED', failed('agent rejected the task')],
  ['TASK_STATE_CANCELED', failed('the task was cancelled at the agent')],
  ['TASK_STATE_AUTH_REQUIRED', needsAuthorization],
]);

const undefinedState = failed('agent reported a task state that A2A 1.0 does not define');

/** Returns what the `status` of a task means. */
export function meaningOf(status: JsonValue | undefined): Meaning {
  return meanings.get(membersOf(status).state) ?? undefinedState;
}
