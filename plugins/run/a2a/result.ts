import { Message, TaskState } from '@a2a-js/sdk';
import type { FailedRunResult, JsonValue } from '../../../src/contract/index.ts';
import { type Answer, failed } from '../../../src/run-kit/index.ts';
import { messagePieces, outputOf } from './content.ts';
import { notA2a } from './faults.ts';
import type { TaskAnswer } from './task-answer.ts';

/** The answer of an agent that sent a message, and began no task. */
export function answerOfMessage(message: Message, isMapped: boolean): Answer {
  const { parts } = message;
  const output = outputOf(parts, () => messagePieces(parts).join(''));
  return { output, ...(isMapped && { whole: jsonOf(() => Message.toJSON(message)) }) };
}

/** The answer that a settled task holds, or the failure that its state means. */
export function answerOfTask(task: TaskAnswer, isMapped: boolean): Answer | FailedRunResult {
  switch (task.state) {
    case TaskState.TASK_STATE_COMPLETED:
      return { output: task.output, ...(isMapped && { whole: jsonOf(() => task.toJson()) }) };
    case TaskState.TASK_STATE_INPUT_REQUIRED:
      return { kind: 'input_required', output: task.output };
    case TaskState.TASK_STATE_FAILED:
      return failed('the task failed', true);
    case TaskState.TASK_STATE_REJECTED:
      return failed('agent rejected the task');
    case TaskState.TASK_STATE_CANCELED:
      return failed('the task was cancelled at the agent');
    case TaskState.TASK_STATE_AUTH_REQUIRED:
      return failed('the task needs an authorization that a run cannot give');
    default:
      return failed('agent reported a task state that A2A 1.0 does not define');
  }
}

/** The SDK does not check all that an agent of 0.3 sends, and throws anything when it cannot write that. */
function jsonOf(write: () => unknown): JsonValue {
  try {
    return write() as JsonValue;
  } catch {
    throw notA2a();
  }
}
