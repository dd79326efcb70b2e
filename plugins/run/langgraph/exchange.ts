import type { FinalRunResult, JsonObject, JsonValue, RunEvent, RunRequest } from '../../../src/contract/index.ts';
import {
  type AgentAttempt,
  type AgentCalls,
  type AgentClient,
  AgentFault,
  type AgentResponse,
  type Conclude,
  type Conversation,
  failed,
  membersOf,
} from '../../../src/run-kit/index.ts';
import { type Answer, readState, readStream } from './answer.ts';
import { graphFailure, questionIn } from './graph-end.ts';
import { type Memory, memoryOf } from './memory.ts';
import { lastAnswer, usageOf } from './messages.ts';
import { endOf, stateOf } from './run-end.ts';
import type { RunRequestOf } from './run-request.ts';
import { placeOf, type RunPlace, requireSuccess, type ThreadRun } from './server.ts';

/** What all exchanges of an instance use. */
export interface Service {
  readonly agent: AgentClient;
  readonly conversation: Conversation;
  readonly requestOf: RunRequestOf;
  readonly conclude: Conclude;
  readonly isStreamed: boolean;
}

type Events<Result> = AsyncGenerator<RunEvent, Result, undefined>;

/**
 * One attempt of a run, from the request to the end of the graph. Where it fails without a memory, the server may still
 * execute the run, which the session remembers: the next attempt waits for it.
 */
export class Exchange {
  readonly #service: Service;
  readonly #agent: AgentCalls;
  readonly #run: RunRequest;
  readonly #attempt: AgentAttempt;
  readonly #memory: Memory;

  constructor(service: Service, run: RunRequest, attempt: AgentAttempt) {
    this.#service = service;
    this.#agent = service.agent.forRun(run);
    this.#run = run;
    this.#attempt = attempt;
    this.#memory = memoryOf(run, service.conversation);
  }

  async *converse(): Events<FinalRunResult> {
    const { requestOf, isStreamed } = this.#service;
    // A UUID, as ids of threads must be.
    const threadId = this.#run.conversation;
    const { pending, begun } = this.#memory;
    // A run that was cancelled since, e.g. as its time was up, is begun again; so is one that the server has forgotten.
    if (threadId !== undefined && begun !== undefined) {
      const result = await this.#settled({ threadId, runId: begun }, undefined);
      if (typeof result === 'object') return result;
    }
    const body = await requestOf(this.#run, pending);
    const thread = threadId === undefined ? '' : `/threads/${threadId}`;
    const path = `${thread}/runs/${isStreamed ? 'stream' : 'wait'}`;
    // Lingers: a run can only be cancelled once the server has named it.
    const response = await this.#agent.send({ path, body }, this.#attempt.lingering);
    await requireSuccess(response);
    const named = placeOf(response);
    const place = named && { runId: named.runId, threadId: threadId ?? named.threadId };
    if (place !== undefined) await this.#remember(place.runId);
    this.#cancelOnAbandon(place);
    const { state, failure } = yield* this.#read(response);
    if (failure !== undefined) return this.#ended(failure);
    if (threadId === undefined || place === undefined || isError(state)) {
      return state === undefined
        ? this.#ended(failed('agent ended its answer too early', true))
        : this.#interpreted(state);
    }
    // An answer also ends when the server stops, or when the run is cancelled there: the state may not be the last.
    const result = await this.#settled({ ...place, threadId }, state);
    if (typeof result === 'object') return result;
    const isCancelled = result === 'cancelled';
    const message = isCancelled ? 'the run was cancelled on the server' : 'agent no longer knows its run';
    return this.#ended(failed(message, !isCancelled));
  }

  async *#read(response: AgentResponse): Events<Answer> {
    try {
      return this.#service.isStreamed ? yield* readStream(response) : await readState(response);
    } catch (error) {
      if (error instanceof AgentFault) return { failure: error.failure };
      throw error;
    }
  }

  /** Waits until the server has ended a run. Returns the result, or why there is none. */
  async #settled(run: ThreadRun, answered: JsonValue | undefined): Promise<FinalRunResult | 'unknown' | 'cancelled'> {
    const { signal } = this.#attempt;
    this.#cancelOnAbandon(run);
    const end = await endOf(run, this.#agent, signal);
    if (end.kind === 'error') return this.#ended(graphFailure(undefined));
    if (end.kind === 'unknown') {
      this.#attempt.onAbandon(undefined);
      return 'unknown';
    }
    // Of several questions an answer may have the last one only, or none if some of them have been answered.
    const isQuestioned = isAsking(answered) || (this.#memory.pending ?? []).length > 1;
    if (answered !== undefined && !end.waited && end.kind === 'success' && !isQuestioned) {
      return this.#interpreted(answered);
    }
    const stored = await stateOf(run.threadId, this.#agent, signal);
    const state = isAsking(answered) && !isAsking(stored) ? answered : stored;
    if (end.kind === 'success' || isAsking(state)) return this.#interpreted(state);
    this.#attempt.onAbandon(undefined);
    return 'cancelled';
  }

  /** A run without a known thread has no address to cancel it at. */
  #cancelOnAbandon(place: RunPlace | undefined): void {
    this.#attempt.onAbandon(() => {
      if (place?.threadId === undefined) return;
      const call = { path: `/threads/${place.threadId}/runs/${place.runId}/cancel` };
      return this.#agent.notify(call, 'a run could not be cancelled on its server', { runId: this.#run.id });
    });
  }

  async #interpreted(state: JsonValue): Promise<FinalRunResult> {
    const { __error__: error } = membersOf(state);
    if (error !== undefined) return this.#ended(graphFailure(error));
    const question = questionIn(state);
    if (question !== undefined) {
      return this.#ended({ kind: 'input_required', output: question.output }, { asked: question.asked });
    }
    const answer = { output: lastAnswer(state) ?? state, whole: state, usage: usageOf(state) };
    return this.#ended(await this.#service.conclude(this.#run, answer));
  }

  /** The result of a run that the server has ended. `memory`: what the session remembers if it did not fail. */
  #ended(result: FinalRunResult, memory: JsonObject = {}): FinalRunResult {
    this.#attempt.onAbandon(undefined);
    if (this.#run.session === undefined) return result;
    const members = result.kind === 'failed' ? this.#unanswered : memory;
    const isEmpty = Object.keys(members).length === 0;
    return { ...result, memory: isEmpty ? {} : this.#service.conversation.remember(members) };
  }

  async #remember(id: string): Promise<void> {
    const memory = { ...this.#unanswered, running: { run: this.#run.id, id } };
    await this.#run.session?.remember(this.#service.conversation.remember(memory));
  }

  /** The interrupts whose answer counts only once the run has not failed. */
  get #unanswered(): JsonObject {
    const { pending } = this.#memory;
    return pending === undefined ? {} : { asked: [...pending], answeredBy: this.#run.id };
  }
}

function isError(state: JsonValue | undefined): boolean {
  return membersOf(state).__error__ !== undefined;
}

function isAsking(state: JsonValue | undefined): state is JsonValue {
  return membersOf(state).__interrupt__ !== undefined;
}
