import type {
  FailedRunResult,
  FinalRunResult,
  JsonValue,
  PluginContext,
  RunRequest,
  RunUsage,
} from '../../../src/contract/index.ts';
import { countIn, createConclusion, failed, parseAgentJson } from '../../../src/run-kit/index.ts';
import { memberOf } from './member.ts';
import type { Options } from './options.gen.ts';

/** How an exchange with the endpoint ended: a complete answer, or a failure. */
export type Ended = Answer | FailedRunResult;

export interface Answer {
  readonly kind: 'answered';
  readonly text: string;
  /** Whether any part of the text is marked as a refusal. */
  readonly isRefusal: boolean;
  /** Whether the content holds something that was not understood as text. */
  readonly isForeign: boolean;
  /** Whether the model waits for the result of a tool that the endpoint does not run itself. */
  readonly callsTool: boolean;
  readonly usage: RunUsage | undefined;
  /** The response as sent; undefined if it was streamed. */
  readonly whole: JsonValue | undefined;
  /** The id of the response at the endpoint. */
  readonly responseId: string | undefined;
}

/** Returns a failure with the tokens it used: they are billed all the same. */
export function failedWith(usage: RunUsage | undefined, message: string, retryable = false): FailedRunResult {
  return { ...failed(message, retryable), ...(usage !== undefined && { usage }) };
}

/** The words of a protocol for the two kinds of tokens: `prompt` and `completion`, or `input` and `output`. */
type Words = readonly [input: string, output: string];

/** Returns the tokens of a response; undefined unless it reports both counts. */
export function usageOf(usage: JsonValue | undefined, model: string, [input, output]: Words): RunUsage | undefined {
  const inputTokens = countIn(memberOf(usage, `${input}_tokens`));
  const outputTokens = countIn(memberOf(usage, `${output}_tokens`));
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const cachedTokens = countIn(memberOf(usage, `${input}_tokens_details`, 'cached_tokens'));
  const reasoningTokens = countIn(memberOf(usage, `${output}_tokens_details`, 'reasoning_tokens'));
  return {
    inputTokens,
    outputTokens,
    ...(model !== '' && { model }),
    ...(cachedTokens !== undefined && { cachedTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}

export const faults = {
  cutOff: 'the answer was cut off at a token limit',
  filtered: 'a content filter of the agent stopped the answer',
  foreign: 'the model answered with content that is not text; the option output can return it',
  empty: 'the model answered with no text',
  brokenOff: 'the stream of the agent ended before its answer did',
};

/** What an answer means for the session; undefined: it remembers what it did before. */
type MemoryAfter = (answer: Answer) => JsonValue | undefined;

export type ConcludeExchange = ReturnType<typeof concludeExchange>;

/** Returns a function that makes the result of a run from the end of an exchange. Throws an OptionsError. */
export function concludeExchange(context: PluginContext, { format, output, model }: Options) {
  const conclude = createConclusion(context, output, ['text', 'json']);
  return async (run: RunRequest, ended: Ended, memoryAfter: MemoryAfter): Promise<FinalRunResult> => {
    // Not every endpoint names the model that it was asked for.
    const usage = ended.usage && { model, ...ended.usage };
    if (ended.kind === 'failed') return usage === undefined ? ended : { ...ended, usage };
    const { text, isRefusal, isForeign, callsTool, whole = null } = ended;
    const answer = { whole, usage, memory: memoryAfter(ended) };
    if (callsTool && output === undefined) {
      return failedWith(usage, 'the model called a tool, which the gateway does not run');
    }
    // An expression may find the answer elsewhere. Without one, nothing must pass for an answer.
    if (text === '' && output === undefined) {
      return isForeign ? failedWith(usage, faults.foreign) : failedWith(usage, faults.empty, true);
    }
    if (format === 'text' || callsTool) return conclude(run, { ...answer, output: text, bindings: { text } });
    if (isRefusal) return failedWith(usage, 'the model refused to answer');
    const json = parseAgentJson(text);
    // A model does not answer the same way twice.
    if (!json.ok) return failedWith(usage, `the model answered with ${json.fault}`, true);
    return conclude(run, { ...answer, output: json.value, bindings: { text, json: json.value } });
  };
}
