import type { FinalRunResult, JsonValue, RunEvent, RunRequest } from '../../../src/contract/index.ts';
import {
  type AgentAttempt,
  type AgentClient,
  AgentFault,
  type AgentResponse,
  type Conversation,
  failed,
  membersOf,
} from '../../../src/run-kit/index.ts';
import { type Answer, readState, readStream } from './answer.ts';
import { graphFailure, type Interpretation } from './interpretation.ts';
import { asJson, type Memory, memoryOf, pendingFor } from './memory.ts';
import { endOf, stateOf, type ThreadRun } from './run-end.ts';
import type { RunRequestOf } from './run-request.ts';
import { placeOf, type RunPlace, refused } from './server.ts';
import { threadIdOf } from './thread-id.ts';

/** What all exchanges of an instance use. */
export interface Service {
  readonly agent: AgentClient;
  readonly conversation: Conversation;
  readonly requestOf: RunRequestOf;
  readonly interpret: Interpretation;
  readonly isStreamed: boolean;
}

type Events<Result> = AsyncGenerator<RunEvent, Result, undefined>;

/**
 * One attempt of a run, from the request to the end of the graph. Where it fails without a memory, the server may still
 * execute the run, which the session remembers: the next attempt waits for it.
 */
export class Exchange {
  readonly #service: Service;
  readonly #run: RunRequest;
  readonly #attempt: AgentAttempt;
  readonly #memory: Memory;
  readonly #pending: readonly string[] | undefined;

  constructor(service: Service, run: RunRequest, attempt: AgentAttempt) {
    this.#service = service;
    this.#run = run;
    this.#attempt = attempt;
    this.#memory = memoryOf(run, service.conversation);
    this.#pending = pendingFor(run, this.#memory);
  }

  async *converse(): Events<FinalRunResult> {
    const { agent, requestOf, isStreamed } = this.#service;
    const threadId = threadIdOf(this.#run);
    const { running } = this.#memory;
    // A run that was cancelled since, e.g. as its time was up, is begun again; so is one that the server has forgotten.
    if (threadId !== undefined && running?.run === this.#run.id) {
      const result = await this.#settled({ threadId, runId: running.id }, undefined);
      if (typeof result === 'object') return result;
    }
    const request = await requestOf(this.#run, this.#pending);
    if (!request.ok) return request.failure;
    const thread = threadId === undefined ? '' : `/threads/${threadId}`;
    const path = `${thread}/runs/${isStreamed ? 'stream' : 'wait'}`;
    // Lingers: a run can only be cancelled once the server has named it.
    const response = await agent.send({ path, body: request.value }, this.#attempt.lingering);
    if (!response.ok) return refused(response);
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
    const { agent } = this.#service;
    const { signal } = this.#attempt;
    this.#cancelOnAbandon(run);
    const end = await endOf(run, agent, signal);
    if (end.kind === 'error') return this.#ended(graphFailure(undefined));
    if (end.kind === 'unknown') {
      this.#attempt.onAbandon(undefined);
      return 'unknown';
    }
    // Of several questions an answer may have the last one only, or none if some of them have been answered.
    const isQuestioned = isAsking(answered) || (this.#pending ?? []).length > 1;
    if (answered !== undefined && !end.waited && end.kind === 'success' && !isQuestioned) {
      return this.#interpreted(answered);
    }
    const stored = await stateOf(run.threadId, agent, signal);
    const state = isAsking(answered) && !isAsking(stored) ? answered : stored;
    if (end.kind === 'success' || isAsking(state)) return this.#interpreted(state);
    this.#attempt.onAbandon(undefined);
    return 'cancelled';
  }

  /** A run without a known thread has no address to cancel it at. */
  #cancelOnAbandon(place: RunPlace | undefined): void {
    const { agent } = this.#service;
    this.#attempt.onAbandon(() => {
      if (place?.threadId === undefined) return;
      const call = { path: `/threads/${place.threadId}/runs/${place.runId}/cancel` };
      return agent.notify(call, 'a run could not be cancelled on its server', { runId: this.#run.id });
    });
  }

  async #interpreted(state: JsonValue): Promise<FinalRunResult> {
    const { result, asked } = await this.#service.interpret(state, this.#run);
    return this.#ended(result, asked);
  }

  /** The result of a run that the server has ended, with what the session remembers from now on. */
  #ended(result: FinalRunResult, asked?: readonly string[]): FinalRunResult {
    this.#attempt.onAbandon(undefined);
    if (this.#run.session === undefined) return result;
    const unanswered = result.kind === 'failed' && this.#pending !== undefined;
    const memory: Memory = unanswered ? { asked: this.#pending, answeredBy: this.#run.id } : asked ? { asked } : {};
    return { ...result, memory: asJson(memory, this.#service.conversation) };
  }

  async #remember(runId: string): Promise<void> {
    const answering = this.#pending && { asked: this.#pending, answeredBy: this.#run.id };
    const running = { run: this.#run.id, id: runId };
    await this.#run.session?.remember(asJson({ ...answering, running }, this.#service.conversation));
  }
}

function isError(state: JsonValue | undefined): boolean {
  return membersOf(state).__error__ !== undefined;
}

function isAsking(state: JsonValue | undefined): state is JsonValue {
  return membersOf(state).__interrupt__ !== undefined;
}
