import type { FailedRunResult, JsonValue, RunUsage } from '../../../src/contract/index.ts';
import { memberOf } from './member.ts';

/** What came of an exchange with the endpoint: an answer in whole, or why there is none. */
export type Ended = Answer | FailedRunResult;

export interface Answer {
  readonly kind: 'answered';
  readonly text: string;
  /** Whether the text, or a part of it, is marked as a refusal. */
  readonly isRefusal: boolean;
  /** Whether the model waits for the result of a tool that the endpoint does not run by itself. */
  readonly callsTool: boolean;
  readonly usage: RunUsage | undefined;
  /** The response as sent; undefined if it came piece by piece. */
  readonly whole: JsonValue | undefined;
  /** What the endpoint knows the response by. */
  readonly responseId: string | undefined;
}

/** A failed result. What it has used up is to be paid all the same. */
export function failed(message: string, retryable: boolean, usage?: RunUsage): FailedRunResult {
  return { kind: 'failed', message, retryable, ...(usage !== undefined && { usage }) };
}

/** The tokens that a response says it took; undefined if it does not say both. */
export function usageOf(usage: unknown, inputName: string, outputName: string): RunUsage | undefined {
  const inputTokens = memberOf(usage, inputName);
  const outputTokens = memberOf(usage, outputName);
  return isCount(inputTokens) && isCount(outputTokens) ? { inputTokens, outputTokens } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

export const faults = {
  cutOff: 'the answer was cut off at a limit of tokens',
  filtered: 'a content filter of the agent stopped the answer',
  brokenOff: 'the stream of the agent ended before its answer did',
};
