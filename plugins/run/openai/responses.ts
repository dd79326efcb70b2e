import type { JsonValue } from '../../../src/contract/index.ts';
import { failed, isObject } from '../../../src/run-kit/index.ts';
import { type Answer, type Ended, failedWith, faults, usageOf } from './answer.ts';
import { contentOf } from './content.ts';
import type { Api, Reading } from './exchange.ts';
import { failureOfError, type Refusal } from './failures.ts';
import { itemsAt, memberOf, textAt } from './member.ts';
import type { Options } from './options.gen.ts';
import { type ResponseMemory, responseIdOf } from './response-memory.ts';

/** Responses: the endpoint remembers conversations, and the session holds the id of the latest response. */
export function responsesApi(options: Options, memory: ResponseMemory): Api {
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
        // An endpoint does not keep them between turns.
        ...(system.trim() !== '' && { instructions: system }),
        model,
        input: user,
      };
      return {
        path: '/responses',
        body: (stream) => ({ ...body, stream }),
        answerOf: responseAnswer,
        reading: responseReading,
        memoryAfter: memory.after,
        failureOf: (refusal) =>
          previousId !== undefined && isForgotten(refusal, previousId) ? forgotten : refusal.failure,
      };
    },
  };
}

/** The end of an exchange whose response came as a whole. */
export function responseAnswer(response: JsonValue): Ended {
  return endedResponse(response, response);
}

/** Assembles an answer from the events of a response. */
function responseReading(): Reading {
  let text = '';
  let last: JsonValue | undefined;
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
export function isUnfinished(response: JsonValue): boolean {
  const status = textAt(response, 'status');
  return status === 'queued' || status === 'in_progress';
}

function endedResponse(response: JsonValue | undefined, whole: JsonValue | undefined): Ended {
  const usage = usageOf(memberOf(response, 'usage'), textAt(response, 'model'), ['input', 'output']);
  const error = memberOf(response, 'error');
  const isFailed = textAt(response, 'status') === 'failed' || isObject(error);
  if (isFailed) return { ...failureOfError(error), ...(usage !== undefined && { usage }) };
  if (!Array.isArray(memberOf(response, 'output'))) return failedWith(usage, 'agent answered with no response');
  switch (textAt(response, 'status')) {
    case 'incomplete': {
      const isFiltered = textAt(response, 'incomplete_details', 'reason') === 'content_filter';
      return failedWith(usage, isFiltered ? faults.filtered : faults.cutOff);
    }
    case 'cancelled':
      return failedWith(usage, 'the response was cancelled at the agent');
    case 'queued':
    case 'in_progress':
      return failedWith(usage, 'agent answered before the response was complete', true);
    default:
      return { kind: 'answered', ...saidIn(response), usage, whole, responseId: responseIdOf(response, 'id') };
  }
}

/** Items of these types wait for a client to act, and to send the result. */
const openCalls = new Set([
  ...['function_call', 'custom_tool_call', 'computer_call', 'local_shell_call', 'apply_patch_call'],
  'mcp_approval_request',
]);

function saidIn(response: JsonValue | undefined): Pick<Answer, 'text' | 'isRefusal' | 'isForeign' | 'callsTool'> {
  const items = itemsAt(response, 'output');
  const messages = items.filter((item) => textAt(item, 'type') === 'message');
  return {
    ...contentOf(messages.flatMap((item) => memberOf(item, 'content') ?? [])),
    callsTool: items.some((item) => openCalls.has(textAt(item, 'type'))),
  };
}

const forgotten = {
  ...failed('agent no longer knows the conversation of this session: the next request begins a new one'),
  memory: null,
};

/** Whether the endpoint no longer knows the response that the request continues. */
function isForgotten({ status, code, param, detail }: Refusal, previousId: string): boolean {
  if (code === 'previous_response_not_found') return true;
  if (status === 400 && param === 'previous_response_id') return true;
  return (status === 400 || status === 404) && detail.includes(previousId);
}

function textOptions({ format, schema, parameters }: Options) {
  if (format === 'text') return {};
  const made =
    schema === undefined ? { type: 'json_object' } : { type: 'json_schema', name: 'output', schema, strict: true };
  const { text } = parameters;
  return { text: { format: made, ...(isObject(text) && text) } };
}
