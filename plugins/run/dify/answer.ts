import type { FailedRunResult, JsonObject, JsonValue, RunUsage } from '../../../src/contract/index.ts';
import { countIn, failed, membersOf } from '../../../src/run-kit/index.ts';
import { failureOf, failureOfWorkflow } from './failure.ts';

/** A complete answer. */
export interface Answered {
  readonly kind: 'answered';
  /** What the expression of the option `output` is evaluated over. */
  readonly whole: JsonObject;
  readonly output: JsonValue;
  readonly usage: RunUsage | undefined;
}

/** What an event means: a piece of the text, the end, or nothing. */
export type Step = { readonly kind: 'delta'; readonly text: string } | Answered | FailedRunResult | undefined;

/** Assembles an answer from its events. */
export interface Answer {
  read(event: JsonObject): Step;
}

/** The text so far. What replaces it, e.g. after moderation, is in the output only: deltas can only add to it. */
class Text {
  #text = '';
  #isReplaced = false;

  add(text: JsonValue | undefined): Step {
    if (typeof text !== 'string' || text === '') return undefined;
    this.#text += text;
    return this.#isReplaced ? undefined : { kind: 'delta', text };
  }

  replace(text: JsonValue | undefined): undefined {
    if (typeof text !== 'string') return;
    this.#text = text;
    this.#isReplaced = true;
  }

  toString(): string {
    return this.#text;
  }
}

/** Of a chatbot, an agent or a chatflow: ends with `message_end`, which a chatflow's `workflow_finished` may follow. */
export function chatAnswer(): Answer {
  const text = new Text();
  return {
    read(event) {
      switch (event.event) {
        case 'message':
        case 'agent_message':
          return text.add(event.answer);
        case 'message_replace':
          return text.replace(event.answer);
        case 'message_end': {
          const answer = text.toString();
          const usage = usageIn(membersOf(event.metadata).usage);
          return { kind: 'answered', whole: { ...event, answer }, output: answer, usage };
        }
        case 'workflow_finished':
          return failureOfWorkflow(membersOf(event.data));
        default:
          return ending(event);
      }
    },
  };
}

/** Of a workflow: ends with `workflow_finished`. */
export function workflowAnswer(): Answer {
  const text = new Text();
  const used = { inputTokens: 0, outputTokens: 0 };
  return {
    read(event) {
      const data = membersOf(event.data);
      switch (event.event) {
        case 'text_chunk':
          return text.add(data.text);
        case 'text_replace':
          return text.replace(data.text);
        case 'node_finished': {
          const usage = usageIn(membersOf(data.outputs).usage);
          used.inputTokens += usage?.inputTokens ?? 0;
          used.outputTokens += usage?.outputTokens ?? 0;
          return undefined;
        }
        case 'workflow_finished': {
          const failure = failureOfWorkflow(data);
          if (failure !== undefined) return failure;
          // The event has the total only. The tokens of the nodes count only if they add up to it.
          const isAll = used.inputTokens + used.outputTokens === data.total_tokens;
          return { kind: 'answered', whole: event, output: data.outputs ?? null, usage: isAll ? used : undefined };
        }
        default:
          return ending(event);
      }
    },
  };
}

function ending(event: JsonObject): FailedRunResult | undefined {
  switch (event.event) {
    case 'error':
      return failureOf(event);
    case 'workflow_paused':
      return failed('the app waits for human input, which is not supported');
    default:
      return undefined;
  }
}

function usageIn(value: JsonValue | undefined): RunUsage | undefined {
  const { prompt_tokens: prompt, completion_tokens: completion } = membersOf(value);
  const [inputTokens, outputTokens] = [countIn(prompt), countIn(completion)];
  return inputTokens === undefined || outputTokens === undefined ? undefined : { inputTokens, outputTokens };
}
