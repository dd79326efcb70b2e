import { type JsonObject, type JsonValue, mostTokens, type RunUsage } from '../contract/index.ts';
import { countIn, isObject, membersOf } from './members.ts';

/** How providers and frameworks call the counts. The whole counts of `apart` come without the tokens of a cache. */
const names = {
  input: ['inputTokens', 'prompt_tokens', 'input_tokens', 'promptTokens', 'promptTokenCount'],
  output: ['outputTokens', 'completion_tokens', 'output_tokens', 'completionTokens', 'candidatesTokenCount'],
  cached: ['cachedTokens', 'cachedInputTokens', 'cachedContentTokenCount'],
  reasoning: ['reasoningTokens'],
  cachedApart: ['cache_read_input_tokens', 'cacheReadInputTokens'],
  writtenApart: ['cache_creation_input_tokens', 'cacheWriteInputTokens'],
  inputApart: ['toolUsePromptTokenCount'],
  reasoningApart: ['thoughtsTokenCount'],
} as const;

/**
 * Returns the token counts that a value holds: `{ inputTokens, outputTokens }`, or the object that a provider or framework
 * reports them in, or a list of these, one for each call of a model. Undefined if it is something else.
 */
export function usageIn(value: JsonValue | undefined): RunUsage | undefined {
  if (!Array.isArray(value)) return isObject(value) ? usageOfCall(value) : undefined;
  let sum: RunUsage | undefined;
  for (const call of value) {
    const usage = isObject(call) ? usageOfCall(call) : undefined;
    if (usage === undefined) return undefined;
    sum = sum === undefined ? usage : add(sum, usage);
  }
  return sum;
}

function usageOfCall(call: JsonObject): RunUsage | undefined {
  const input = countOf(call, names.input);
  const output = countOf(call, names.output);
  if (input === undefined || output === undefined) return undefined;
  const cachedApart = countOf(call, names.cachedApart);
  const reasoningApart = countOf(call, names.reasoningApart);
  const written = countOf(call, names.writtenApart) ?? 0;
  const inputTokens = input + (cachedApart ?? 0) + written + (countOf(call, names.inputApart) ?? 0);
  const outputTokens = output + (reasoningApart ?? 0);
  if (inputTokens > mostTokens || outputTokens > mostTokens) return undefined;
  const cachedTokens =
    cachedApart ??
    countOf(call, names.cached) ??
    countOf(membersOf(call.prompt_tokens_details ?? call.input_tokens_details), ['cached_tokens']) ??
    countOf(membersOf(call.input_token_details), ['cache_read']);
  const reasoningTokens =
    reasoningApart ??
    countOf(call, names.reasoning) ??
    countOf(membersOf(call.completion_tokens_details ?? call.output_tokens_details), ['reasoning_tokens']) ??
    countOf(membersOf(call.output_token_details), ['reasoning']);
  const { model } = call;
  return {
    inputTokens,
    outputTokens,
    ...(typeof model === 'string' && model !== '' && { model }),
    ...(cachedTokens !== undefined && { cachedTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}

/** Of the first name that the object has. */
function countOf(object: JsonObject, known: readonly string[]): number | undefined {
  const name = known.find((one) => object[one] !== undefined);
  return name === undefined ? undefined : countIn(object[name]);
}

/** Of several models, the last is named. */
function add(sum: RunUsage, usage: RunUsage): RunUsage {
  const total = (one: number | undefined, other: number | undefined) =>
    one === undefined && other === undefined ? undefined : (one ?? 0) + (other ?? 0);
  const model = usage.model ?? sum.model;
  const cachedTokens = total(sum.cachedTokens, usage.cachedTokens);
  const reasoningTokens = total(sum.reasoningTokens, usage.reasoningTokens);
  return {
    inputTokens: sum.inputTokens + usage.inputTokens,
    outputTokens: sum.outputTokens + usage.outputTokens,
    ...(model !== undefined && { model }),
    ...(cachedTokens !== undefined && { cachedTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}
