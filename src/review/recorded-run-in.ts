import { isFinal, runStates } from '../contract/index.ts';
import type { RecordedRun } from '../engine/types/index.ts';

/** What a line of an export says of the run of its request; one of an earlier version says nothing. */
export function recordedRunIn(value: unknown): RecordedRun | undefined {
  const { status, durationMs, waitedMs, inputTokens, outputTokens, cost }: Record<string, unknown> = Object(value);
  if (!isAmount(durationMs)) return undefined;
  const { amount, currency }: Record<string, unknown> = Object(cost);
  return {
    state: runStates.find((state) => state === status && isFinal(state)) ?? 'succeeded',
    durationMs,
    waitedMs: isAmount(waitedMs) ? waitedMs : 0,
    usage: isAmount(inputTokens) && isAmount(outputTokens) ? { inputTokens, outputTokens } : undefined,
    cost: isAmount(amount) && typeof currency === 'string' ? { nanos: Math.round(amount * 1e9), currency } : undefined,
  };
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
