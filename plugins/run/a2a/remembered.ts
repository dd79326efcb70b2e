import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';

/** What a session remembers. */
export interface Conversation {
  readonly contextId: string;
  /** The task that waits for an answer; empty if none does. */
  readonly taskId: string;
}

/** What a run remembers of a task that the agent goes on with. */
export interface Handle extends Conversation {
  /** When the time of the attempt is up, milliseconds since the epoch. */
  readonly endsAt: number;
}

/** What was remembered may be another plugin's: the trigger's agent can have changed since. */
export function readConversation(memory: JsonValue | undefined): Conversation {
  const { contextId, taskId } = isObject(memory) ? memory : {};
  return { contextId: text(contextId), taskId: text(taskId) };
}

export function memoryOf({ contextId, taskId }: Conversation): JsonObject {
  return { ...(contextId !== '' && { contextId }), ...(taskId !== '' && { taskId }) };
}

export function handleOf({ contextId, taskId, endsAt }: Handle): JsonObject {
  return { contextId, taskId, endsAt };
}

/** Undefined: it is none of this plugin's. */
export function readHandle(handle: JsonValue): Handle | undefined {
  const { endsAt } = isObject(handle) ? handle : {};
  const conversation = readConversation(handle);
  if (typeof endsAt !== 'number' || conversation.taskId === '') return undefined;
  return { ...conversation, endsAt };
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
