import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { isObject } from '../json-object.ts';

/** What a session remembers. */
export interface Conversation {
  readonly contextId: string;
  /** The task that waits for an answer; empty if none does. */
  readonly taskId: string;
}

export const nothing: Conversation = Object.freeze({ contextId: '', taskId: '' });

/** What a run remembers of a task that the agent goes on with. */
export interface Handle extends Conversation {
  /** When the time of the attempt is up, milliseconds since the epoch. */
  readonly endsAt: number;
}

/**
 * Reads what earlier runs left. It may be of another agent or plugin that the trigger used before: that is nothing, since
 * an agent's ids mean nothing to others, who need not learn them either.
 * @param agent stands for the agent
 */
export function readConversation(memory: JsonValue | undefined, agent: string): Conversation {
  const { contextId, taskId, agent: owner } = isObject(memory) ? memory : {};
  return owner === agent ? { contextId: text(contextId), taskId: text(taskId) } : nothing;
}

export function memoryOf({ contextId, taskId }: Conversation, agent: string): JsonObject {
  if (contextId === '' && taskId === '') return {};
  return { agent, ...(contextId !== '' && { contextId }), ...(taskId !== '' && { taskId }) };
}

export function handleOf({ contextId, taskId, endsAt }: Handle, agent: string): JsonObject {
  return { agent, contextId, taskId, endsAt };
}

/** Undefined: it is none of this agent's. */
export function readHandle(handle: JsonValue, agent: string): Handle | undefined {
  const { endsAt } = isObject(handle) ? handle : {};
  const conversation = readConversation(handle, agent);
  if (typeof endsAt !== 'number' || conversation.taskId === '') return undefined;
  return { ...conversation, endsAt };
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
