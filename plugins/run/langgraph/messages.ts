import type { JsonObject, JsonValue, RunUsage } from '../../../src/contract/index.ts';
import { countIn, membersOf } from '../../../src/run-kit/index.ts';

/** Returns the text in the content of a message: a string, or the text blocks of an array. */
export function textOf(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((block: JsonValue) => (typeof block === 'string' ? block : textOfBlock(block))).join('');
}

function textOfBlock(block: JsonValue): string {
  const { type, text } = membersOf(block);
  return type === 'text' && typeof text === 'string' ? text : '';
}

/**
 * Returns the text of the last AI message, or its content if that has no text; undefined without such a message, and if it
 * says nothing, e.g. because it calls a tool.
 */
export function lastAnswer(state: JsonValue): JsonValue | undefined {
  const message = messagesOf(state).findLast(isOfAi);
  if (message === undefined) return undefined;
  const text = textOf(message.content);
  if (text !== '') return text;
  const { content = null } = message;
  return content === null || content === '' || (Array.isArray(content) && content.length === 0) ? undefined : content;
}

/** Returns the tokens of the AI messages since the last one of the user: the state holds earlier turns too. */
export function usageOf(state: JsonValue): RunUsage | undefined {
  const messages = messagesOf(state);
  const turn = messages.slice(messages.findLastIndex(({ type }) => type === 'human') + 1);
  const answers = turn.filter(isOfAi);
  const used = answers.map(({ usage_metadata: usage }) => membersOf(usage));
  const sumOf = (name: string): number => used.reduce((sum, { [name]: count }) => sum + (countIn(count) ?? 0), 0);
  const sumOfParts = (whole: string, part: string): number =>
    used.reduce((sum, { [whole]: parts }) => sum + (countIn(membersOf(parts)[part]) ?? 0), 0);
  const usage = { inputTokens: sumOf('input_tokens'), outputTokens: sumOf('output_tokens') };
  if (usage.inputTokens + usage.outputTokens === 0) return undefined;
  const model = answers.map(modelOf).findLast((name) => name !== undefined);
  const cachedTokens = sumOfParts('input_token_details', 'cache_read');
  const reasoningTokens = sumOfParts('output_token_details', 'reasoning');
  return {
    ...usage,
    ...(model !== undefined && { model }),
    ...(cachedTokens > 0 && { cachedTokens }),
    ...(reasoningTokens > 0 && { reasoningTokens }),
  };
}

/** Integrations name it differently. */
function modelOf({ response_metadata: metadata }: JsonObject): string | undefined {
  const { model_name: name, model = name } = membersOf(metadata);
  return typeof model === 'string' && model !== '' ? model : undefined;
}

function messagesOf(state: JsonValue): readonly JsonObject[] {
  const { messages } = membersOf(state);
  return Array.isArray(messages) ? messages.map(membersOf) : [];
}

/** Graphs that keep messages as plain objects have a `role`. */
function isOfAi({ type, role }: JsonObject): boolean {
  return type === 'ai' || type === 'AIMessageChunk' || role === 'assistant';
}
