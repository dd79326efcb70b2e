import type { OpenAI } from 'openai';
import type { JsonValue, RunUsage } from '../../../src/contract/index.ts';
import { type Answer, type Ended, failed, faults, usageOf } from './answer.ts';
import type { Api, Reading } from './api.ts';
import { failureOfError } from './failures.ts';
import { isObject, itemsAt, memberOf, textAt } from './member.ts';
import type { Options } from './options.gen.ts';
import { latestTurns, type Message, transcriptOf } from './transcript.ts';

/** The chat completions, whose endpoint remembers nothing: the session has the transcript. */
export function chatApi(client: OpenAI, options: Options): Api {
  const { model, parameters, history } = options;
  const format = responseFormat(options);
  return {
    turn({ system, user }, memory) {
      const said: Message = { role: 'user', content: user };
      const earlier = latestTurns(transcriptOf(memory), history);
      const messages = [
        ...(system.trim() === '' ? [] : [{ role: 'system' as const, content: system }]),
        ...earlier,
        said,
      ];
      const body = { ...format, ...parameters, model, messages };
      return {
        ask: (signal) => client.chat.completions.create({ ...body, stream: false }, { signal }),
        stream(signal) {
          const usage = options.includeUsage && { stream_options: { include_usage: true } };
          return client.chat.completions.create({ ...body, ...usage, stream: true }, { signal });
        },
        answerOf: completionAnswer,
        reading: () => chatReading(options),
        memoryAfter({ text, callsTool }) {
          // A call without its result is no turn that a model could go on from.
          if (callsTool || text === '') return undefined;
          return latestTurns([...earlier, said, { role: 'assistant', content: text }], history).map((one) => ({
            ...one,
          }));
        },
        failureOf: ({ failure }) => failure,
      };
    },
  };
}

/** What a chat completion, answered as a whole, comes to. */
function completionAnswer(value: JsonValue): Ended {
  const choice = firstChoice(value);
  const error = memberOf(value, 'error');
  if (isObject(error)) return failureOfError(error);
  if (!isObject(memberOf(choice, 'message'))) return failed('agent answered with no choice', false);
  const refusal = textAt(choice, 'message', 'refusal');
  return ended({
    text: textAt(choice, 'message', 'content') + refusal,
    isRefusal: refusal !== '',
    callsTool: itemsAt(choice, 'message', 'tool_calls').length > 0,
    reason: textAt(choice, 'finish_reason'),
    usage: memberOf(value, 'usage'),
    whole: value,
  });
}

/** How long the tokens may take to be told after the answer, in milliseconds. */
const usageMs = 1_000;

/** Makes an answer of the chunks of a chat completion. */
function chatReading({ includeUsage, parameters }: Options): Reading {
  // Choices that nobody looks at may go on after the first, and the tokens come after all of them.
  const isAlone = !(Number(parameters.n) > 1);
  const read = { text: '', isRefusal: false, callsTool: false, reason: '', usage: undefined as unknown };
  return {
    take(chunk) {
      // With `include_usage` it comes in a chunk of its own, which has no choice, and elsewhere it is null.
      read.usage = memberOf(chunk, 'usage') ?? read.usage;
      const choice = firstChoice(chunk);
      read.reason = textAt(choice, 'finish_reason') || read.reason;
      read.callsTool ||= itemsAt(choice, 'delta', 'tool_calls').length > 0;
      const refusal = textAt(choice, 'delta', 'refusal');
      read.isRefusal ||= refusal !== '';
      const text = textAt(choice, 'delta', 'content') + refusal;
      read.text += text;
      return text;
    },
    restMs() {
      if (read.reason === '' || !isAlone) return undefined;
      return includeUsage && tokens(read.usage) === undefined ? usageMs : 0;
    },
    end: () => (read.reason === '' ? failed(faults.brokenOff, true, tokens(read.usage)) : ended(read)),
  };
}

interface Choice extends Pick<Answer, 'text' | 'isRefusal' | 'callsTool'> {
  /** Why it ends, as the endpoint says. */
  readonly reason: string;
  readonly usage: unknown;
  readonly whole?: JsonValue;
}

function ended({ text, isRefusal, callsTool, reason, usage, whole }: Choice): Ended {
  const used = tokens(usage);
  switch (reason) {
    case 'length':
      return failed(faults.cutOff, false, used);
    case 'content_filter':
      return failed(faults.filtered, false, used);
    case 'error':
      return failed('agent failed', true, used);
    default: {
      const waits = callsTool || reason === 'tool_calls' || reason === 'function_call';
      return { kind: 'answered', text, isRefusal, callsTool: waits, usage: used, whole, responseId: undefined };
    }
  }
}

/** Where several were asked for, the first is the answer. */
function firstChoice(value: unknown): unknown {
  return itemsAt(value, 'choices').find((choice) => isObject(choice) && (memberOf(choice, 'index') ?? 0) === 0);
}

function tokens(usage: unknown): RunUsage | undefined {
  return usageOf(usage, 'prompt_tokens', 'completion_tokens');
}

function responseFormat({ format, schema }: Options) {
  if (format === 'text') return {};
  if (schema === undefined) return { response_format: { type: 'json_object' as const } };
  return { response_format: { type: 'json_schema' as const, json_schema: { name: 'output', schema, strict: true } } };
}
