import type { FailedRunResult, JsonObject, JsonValue, RunUsage } from '../../../src/contract/index.ts';
import { type Answer, countIn, failed, membersOf } from '../../../src/run-kit/index.ts';
import { failureOf, failureOfWorkflow } from './failure.ts';

/** What an event means: a piece of the text, the end, or nothing. */
export type Step = { readonly kind: 'delta'; readonly text: string } | Answered | FailedRunResult | undefined;

type Answered = Answer & { readonly kind: 'succeeded' };

/** Assembles an answer from its events. */
export class AnswerReader {
  readonly #isWorkflow: boolean;
  readonly #isMapped: boolean;
  /** What replaces it, e.g. after moderation, is in the output only: deltas can only add to it. */
  #text = '';
  #isReplaced = false;
  /** Whether an event was to hold text, and held something else. */
  #isForeign = false;
  readonly #used = { inputTokens: 0, outputTokens: 0 };
  /** The model of the last node that names one: nothing else does. */
  #model: string | undefined;

  /** @param isMapped whether an expression makes the output: without one, nothing must pass for an answer */
  constructor(isWorkflow: boolean, isMapped: boolean) {
    this.#isWorkflow = isWorkflow;
    this.#isMapped = isMapped;
  }

  /** A chat app ends with `message_end`, which the `workflow_finished` of a chatflow may follow; a workflow with that. */
  read(event: JsonObject): Step {
    const data = membersOf(event.data);
    switch (event.event) {
      case 'message':
      case 'agent_message':
        return this.#add(event.answer);
      case 'text_chunk':
        return this.#add(data.text);
      case 'message_replace':
        return this.#replace(event.answer);
      case 'text_replace':
        return this.#replace(data.text);
      case 'node_finished':
        this.#count(usageIn(membersOf(data.outputs).usage), membersOf(data.process_data).model_name);
        return undefined;
      case 'message_end': {
        const usage = this.#withModel(usageIn(membersOf(event.metadata).usage));
        if (this.#text === '' && !this.#isMapped) return this.#empty(usage);
        return { kind: 'succeeded', whole: { ...event, answer: this.#text }, output: this.#text, usage };
      }
      case 'workflow_finished':
        return failureOfWorkflow(data) ?? (this.#isWorkflow ? this.#finished(event) : undefined);
      case 'workflow_paused':
        return failed('the app waits for human input, which is not supported');
      case 'error':
        return failureOf(event);
      default:
        return undefined;
    }
  }

  #add(text: JsonValue | undefined): Step {
    if (typeof text !== 'string') this.#isForeign = true;
    if (typeof text !== 'string' || text === '') return undefined;
    this.#text += text;
    return this.#isReplaced ? undefined : { kind: 'delta', text };
  }

  #replace(text: JsonValue | undefined): undefined {
    if (typeof text !== 'string') return;
    this.#text = text;
    this.#isReplaced = true;
  }

  #count(usage: RunUsage | undefined, model: JsonValue | undefined): void {
    if (usage !== undefined && typeof model === 'string') this.#model = model;
    this.#used.inputTokens += usage?.inputTokens ?? 0;
    this.#used.outputTokens += usage?.outputTokens ?? 0;
  }

  #withModel(usage: RunUsage | undefined): RunUsage | undefined {
    return usage && this.#model !== undefined ? { ...usage, model: this.#model } : usage;
  }

  #empty(usage: RunUsage | undefined): FailedRunResult {
    const what = this.#isForeign ? 'something that is not text' : 'no text';
    return { ...failed(`the app answered with ${what}`), ...(usage && { usage }) };
  }

  #finished(event: JsonObject): Answered | FailedRunResult {
    const { outputs, total_tokens: total } = membersOf(event.data);
    // The event has the total only. The tokens of the nodes count only if they add up to it.
    const isAll = this.#used.inputTokens + this.#used.outputTokens === total;
    const usage = isAll ? this.#withModel(this.#used) : undefined;
    if (outputs === undefined && !this.#isMapped) return failed('the workflow finished without outputs');
    return { kind: 'succeeded', whole: event, output: outputs ?? null, usage };
  }
}

function usageIn(value: JsonValue | undefined): RunUsage | undefined {
  const { prompt_tokens: prompt, completion_tokens: completion } = membersOf(value);
  const [inputTokens, outputTokens] = [countIn(prompt), countIn(completion)];
  return inputTokens === undefined || outputTokens === undefined ? undefined : { inputTokens, outputTokens };
}
