import type { JsonValue, RunUsage } from '../../../src/contract/index.ts';
import { failed, isObject } from '../../../src/run-kit/index.ts';
import { type Answer, type Ended, failedWith, faults, usageOf } from './answer.ts';
import { contentOf } from './content.ts';
import type { Api, Reading } from './exchange.ts';
import { failureOfError } from './failures.ts';
import { itemsAt, memberOf, textAt } from './member.ts';
import type { Options } from './options.gen.ts';
import { latestTurns, type Message, transcriptOf } from './transcript.ts';

/** Chat completions: the endpoint remembers nothing, so the session holds the transcript. */
export function chatApi(options: Options): Api {
  const { model, parameters, history } = options;
  const format = responseFormat(options);
  return {
    turn({ system, user }, memory) {
      const said: Message = { role: 'user', content: user };
      const earlier = latestTurns(transcriptOf(memory), history);
      const prompt = system.trim() === '' ? [] : [{ role: 'system', content: system }];
      const body = { ...format, ...parameters, model, messages: [...prompt, ...earlier, said] };
      return {
        path: '/chat/completions',
        body(stream) {
          const usage = stream && options.includeUsage && { stream_options: { include_usage: true } };
          return { ...body, ...usage, stream };
        },
        answerOf: completionAnswer,
        reading: () => chatReading(options),
        memoryAfter({ text, callsTool }) {
          // A model could not continue after a call without its result.
          if (callsTool || text === '') return undefined;
          const turns = latestTurns([...earlier, said, { role: 'assistant', content: text }], history);
          return turns.map((message) => ({ ...message }));
        },
        failureOf: ({ failure }) => failure,
      };
    },
  };
}

/** The end of an exchange whose chat completion came as a whole. */
function completionAnswer(completion: JsonValue): Ended {
  const choice = firstChoice(completion);
  const error = memberOf(completion, 'error');
  if (isObject(error)) return failureOfError(error);
  if (!isObject(memberOf(choice, 'message'))) return failed('agent answered with no choice');
  const content = contentOf(memberOf(choice, 'message', 'content'));
  const refusal = textAt(choice, 'message', 'refusal');
  return ended({
    text: content.text + refusal,
    isRefusal: content.isRefusal || refusal !== '',
    isForeign: content.isForeign,
    callsTool: itemsAt(choice, 'message', 'tool_calls').length > 0,
    reason: textAt(choice, 'finish_reason'),
    usage: tokens(completion),
    whole: completion,
  });
}

/** How long the token counts may take to arrive after the answer, in milliseconds. */
const usageMs = 1_000;

/** Assembles an answer from the chunks of a chat completion. */
function chatReading({ includeUsage, parameters }: Options): Reading {
  // With several choices, others may continue after the first, and the token counts come last.
  const isAlone = !(Number(parameters.n) > 1);
  const read = {
    ...{ text: '', isRefusal: false, isForeign: false, callsTool: false },
    ...{ reason: '', usage: undefined as RunUsage | undefined },
  };
  return {
    take(chunk) {
      // With `include_usage` it comes in a chunk of its own, which has no choice; elsewhere it is null.
      read.usage = tokens(chunk) ?? read.usage;
      const choice = firstChoice(chunk);
      read.reason = textAt(choice, 'finish_reason') || read.reason;
      read.callsTool ||= itemsAt(choice, 'delta', 'tool_calls').length > 0;
      const content = contentOf(memberOf(choice, 'delta', 'content'));
      const refusal = textAt(choice, 'delta', 'refusal');
      read.isRefusal ||= content.isRefusal || refusal !== '';
      read.isForeign ||= content.isForeign;
      const text = content.text + refusal;
      read.text += text;
      return text;
    },
    restMs() {
      if (read.reason === '' || !isAlone) return undefined;
      return includeUsage && read.usage === undefined ? usageMs : 0;
    },
    end: () => (read.reason === '' ? failedWith(read.usage, faults.brokenOff, true) : ended(read)),
  };
}

interface Choice extends Pick<Answer, 'text' | 'isRefusal' | 'isForeign' | 'callsTool'> {
  /** The finish reason. */
  readonly reason: string;
  readonly usage: RunUsage | undefined;
  readonly whole?: JsonValue;
}

function ended({ callsTool, reason, usage, whole, ...said }: Choice): Ended {
  switch (reason) {
    case 'length':
      return failedWith(usage, faults.cutOff);
    case 'content_filter':
      return failedWith(usage, faults.filtered);
    case 'error':
      return failedWith(usage, 'agent failed', true);
    default: {
      const waits = callsTool || reason === 'tool_calls' || reason === 'function_call';
      const { text, isRefusal, isForeign } = said;
      const content = { text, isRefusal, isForeign, callsTool: waits };
      return { kind: 'answered', ...content, usage, whole, responseId: undefined };
    }
  }
}

/** If the request asked for several, the first one is the answer. */
function firstChoice(completion: JsonValue): JsonValue | undefined {
  const choices = itemsAt(completion, 'choices').filter(isObject);
  return choices.find(({ index = 0 }) => (index ?? 0) === 0);
}

/** The tokens of a chat completion, or of a chunk of one. */
function tokens(completion: JsonValue): RunUsage | undefined {
  return usageOf(memberOf(completion, 'usage'), textAt(completion, 'model'), ['prompt', 'completion']);
}

function responseFormat({ format, schema }: Options) {
  if (format === 'text') return {};
  if (schema === undefined) return { response_format: { type: 'json_object' } };
  return { response_format: { type: 'json_schema', json_schema: { name: 'output', schema, strict: true } } };
}
