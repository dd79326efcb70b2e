import { mostTokens, type RunUsage } from '../../contract/index.ts';

const maxModelLength = 128;

/**
 * Returns the usage that a run plugin reports without invalid or unknown members; undefined without both counts. A part
 * that exceeds its whole is dropped, so that the whole counts at its full price: the agent counts them apart, or wrongly.
 */
export function checkUsage(usage: unknown): RunUsage | undefined {
  const { inputTokens, outputTokens, model, cachedTokens, reasoningTokens } = Object(usage);
  if (!isCount(inputTokens, mostTokens) || !isCount(outputTokens, mostTokens)) return undefined;
  return {
    inputTokens,
    outputTokens,
    ...(isModel(model) && { model }),
    ...(isCount(cachedTokens, inputTokens) && { cachedTokens }),
    ...(isCount(reasoningTokens, outputTokens) && { reasoningTokens }),
  };
}

function isCount(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;
}

/** Logs and answers show it. */
function isModel(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= maxModelLength && /^[^\p{Cc}]+$/u.test(value) && value.isWellFormed()
  );
}
