import { Message, TaskState } from '@a2a-js/sdk';
import type { FinalRunResult, JsonValue, RunRequest } from '../../../src/contract/index.ts';
import { failed } from '../failed.ts';
import type { Mapping } from '../mapping.ts';
import { messagePieces, outputOf } from './content.ts';
import type { TaskAnswer } from './task-answer.ts';

type OutputMapping = Mapping<JsonValue | undefined>;

/** What became of a run whose agent answered with a message, and began no task. */
export function resultOfMessage(run: RunRequest, message: Message, mapping?: OutputMapping): Promise<FinalRunResult> {
  const { parts } = message;
  return succeeded(run, mapping, {
    output: () => outputOf(parts, () => messagePieces(parts).join('')),
    json: () => Message.toJSON(message) as JsonValue,
  });
}

/** What became of a run whose task is settled. */
export async function resultOfTask(
  run: RunRequest,
  task: TaskAnswer,
  mapping?: OutputMapping,
): Promise<FinalRunResult> {
  switch (task.state) {
    case TaskState.TASK_STATE_COMPLETED:
      return succeeded(run, mapping, { output: () => task.output, json: () => task.toJson() });
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
      return failed('the task came into a state that A2A 1.0 does not know');
  }
}

interface Answer {
  output(): JsonValue;
  json(): JsonValue;
}

async function succeeded(
  run: RunRequest,
  mapping: OutputMapping | undefined,
  { output, json }: Answer,
): Promise<FinalRunResult> {
  if (mapping === undefined) return { kind: 'succeeded', output: output() };
  const mapped = await mapping.apply(json(), run);
  return mapped.ok ? { kind: 'succeeded', output: mapped.value ?? null } : mapped.failure;
}
