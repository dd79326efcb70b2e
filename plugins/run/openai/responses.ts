import type { OpenAI } from 'openai';
import type { JsonValue, RunUsage } from '../../../src/contract/index.ts';
import { type Answer, type Ended, failed, faults, usageOf } from './answer.ts';
import type { Api, Reading } from './api.ts';
import { failureOfError, type Refusal } from './failures.ts';
import { isObject, itemsAt, memberOf, textAt } from './member.ts';
import type { Options } from './options.gen.ts';
import { type ResponseMemory, responseIdOf } from './response-memory.ts';

/** The responses, whose endpoint remembers conversations: the session has the id of the latest response. */
export function responsesApi(client: OpenAI, options: Options, memory: ResponseMemory): Api {
  const { model, parameters, background } = options;
  const text = textOptions(options);
  return {
    turn({ system, user }, remembered) {
      const previousId = memory.previousId(remembered);
      const body = {
        ...parameters,
        ...text,
        ...(background && { background }),
        ...(previousId !== undefined && { previous_response_id: previousId }),
        // An endpoint does not keep them from turn to turn.
        ...(system.trim() !== '' && { instructions: system }),
        model,
        input: user,
      };
      return {
        ask: (signal) => client.responses.create({ ...body, stream: false }, { signal }),
        stream: (signal) => client.responses.create({ ...body, stream: true }, { signal }),
        answerOf: responseAnswer,
        reading: responseReading,
        memoryAfter: memory.after,
        failureOf: (refusal) =>
          previousId !== undefined && isForgotten(refusal, previousId) ? forgotten : refusal.failure,
      };
    },
  };
}

/** What a response, as a whole, comes to. */
export function responseAnswer(value: JsonValue): Ended {
  return endedResponse(value, value);
}

/** Makes an answer of the events of a response. */
function responseReading(): Reading {
  let text = '';
  let last: unknown;
  return {
    take(event) {
      const type = textAt(event, 'type');
      if (/^(error|response\.(completed|incomplete|failed|cancelled))$/.test(type)) last = event;
      if (type !== 'response.output_text.delta' && type !== 'response.refusal.delta') return '';
      const delta = textAt(event, 'delta');
      text += delta;
      return delta;
    },
    restMs: () => (last === undefined ? undefined : 0),
    end() {
      if (last === undefined) return failed(faults.brokenOff, true);
      if (textAt(last, 'type') === 'error') return failureOfError(last);
      const ended = endedResponse(memberOf(last, 'response'), undefined);
      // Some endpoints do not repeat the text at the end.
      return ended.kind === 'answered' && ended.text === '' ? { ...ended, text } : ended;
    },
  };
}

/** Whether the endpoint still works on a response. */
export function isUnfinished(response: unknown): boolean {
  const status = textAt(response, 'status');
  return status === 'queued' || status === 'in_progress';
}

function endedResponse(response: unknown, whole: JsonValue | undefined): Ended {
  const usage = tokens(memberOf(response, 'usage'));
  const error = memberOf(response, 'error');
  const isFailed = textAt(response, 'status') === 'failed' || isObject(error);
  if (isFailed) return { ...failureOfError(error), ...(usage !== undefined && { usage }) };
  if (!Array.isArray(memberOf(response, 'output'))) return failed('agent answered with no response', false, usage);
  switch (textAt(response, 'status')) {
    case 'incomplete': {
      const isFiltered = textAt(response, 'incomplete_details', 'reason') === 'content_filter';
      return failed(isFiltered ? faults.filtered : faults.cutOff, false, usage);
    }
    case 'cancelled':
      return failed('agent was told to cancel the response', false, usage);
    case 'queued':
    case 'in_progress':
      return failed('agent answered before the response was complete', true, usage);
    default:
      return { kind: 'answered', ...contentOf(response), usage, whole, responseId: responseIdOf(response, 'id') };
  }
}

/** Items of these types wait for somebody to do something, and to send its result. */
const openCalls = new Set([
  ...['function_call', 'custom_tool_call', 'computer_call', 'local_shell_call', 'apply_patch_call'],
  'mcp_approval_request',
]);

function contentOf(response: unknown): Pick<Answer, 'text' | 'isRefusal' | 'callsTool'> {
  const items = itemsAt(response, 'output');
  const parts = items.filter((item) => textAt(item, 'type') === 'message').flatMap((item) => itemsAt(item, 'content'));
  const texts = parts.map((part) =>
    textAt(part, 'type') === 'refusal' ? textAt(part, 'refusal') : textAt(part, 'text'),
  );
  return {
    text: texts.join(''),
    isRefusal: parts.some((part) => textAt(part, 'type') === 'refusal'),
    callsTool: items.some((item) => openCalls.has(textAt(item, 'type'))),
  };
}

function tokens(usage: unknown): RunUsage | undefined {
  return usageOf(usage, 'input_tokens', 'output_tokens');
}

const forgotten = {
  ...failed('agent no longer knows the conversation of this session: the next request begins a new one', false),
  memory: null,
};

/** Whether a call is refused since the endpoint does not know the response that it goes on from. */
function isForgotten({ status, code, param, detail = '' }: Refusal, previousId: string): boolean {
  if (code === 'previous_response_not_found') return true;
  if (status === 400 && param === 'previous_response_id') return true;
  return (status === 400 || status === 404) && detail.includes(previousId);
}

function textOptions({ format, schema, parameters }: Options) {
  if (format === 'text') return {};
  const made =
    schema === undefined
      ? { type: 'json_object' as const }
      : { type: 'json_schema' as const, name: 'output', schema, strict: true };
  const own = memberOf(parameters, 'text');
  return { text: { format: made, ...(isObject(own) && own) } };
}
