import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { isObject } from '../json-object.ts';

/** Far more than a UUID, which Dify's ids are. */
const longestId = 128;

/** The conversation that a session goes on with, if what it remembers names one. */
export function rememberedConversation(memory: JsonValue | undefined): string | undefined {
  return isObject(memory) ? idIn(memory.conversationId) : undefined;
}

export function memoryOf(conversationId: string): JsonObject {
  return { conversationId };
}

/** An id that Dify gave, if it is one that may be kept and sent back. */
export function idIn(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= longestId ? value : undefined;
}
