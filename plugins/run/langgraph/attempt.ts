import {
  type FinalRunResult,
  type JsonValue,
  OutboundError,
  type RunEvent,
  type RunRequest,
} from '../../../src/contract/index.ts';
import { failed } from '../failed.ts';
import { isCancellation } from '../legacy-signal.ts';
import { streamWithinDeadline } from '../stream-deadline.ts';
import { graphFailure, type Interpretation } from './interpretation.ts';
import { asJson, type Memory, memoryOf, objectOf, pendingFor } from './memory.ts';
import { readState, readStream } from './read-answer.ts';
import { endOf, stateOf, type ThreadRun } from './run-end.ts';
import type { RunRequestOf } from './run-request.ts';
import type { RunStarts } from './run-starts.ts';
import { type LangGraphServer, placeOf, type RunPlace } from './server.ts';
import { threadIdOf } from './thread-id.ts';

/** What attempts of all runs use. */
export interface Service {
  readonly server: LangGraphServer;
  readonly starts: RunStarts;
  /** Stands for the server in what is remembered. */
  readonly serverId: string;
  readonly requestOf: RunRequestOf;
  readonly interpret: Interpretation;
  readonly isStreamed: boolean;
  readonly timeoutMs: number;
}

type Events<Result> = AsyncGenerator<RunEvent, Result, undefined>;

/** One attempt of a run, from the request to the end of the graph. */
export class Attempt {
  readonly #service: Service;
  readonly #run: RunRequest;
  readonly #signal: AbortSignal;
  readonly #memory: Memory;
  readonly #pending: readonly string[] | undefined;
  /** Where the run is while the server executes it. */
  #place: RunPlace | undefined;

  constructor(service: Service, run: RunRequest, signal: AbortSignal) {
    this.#service = service;
    this.#run = run;
    this.#signal = signal;
    this.#memory = memoryOf(run, service.serverId);
    this.#pending = pendingFor(run, this.#memory);
  }

  async *execute(): Events<FinalRunResult> {
    let limit: AbortSignal | undefined;
    try {
      const result = yield* streamWithinDeadline(this.#service.timeoutMs, this.#signal, (signal) => {
        limit = signal;
        return this.#converse(signal);
      });
      const isLate = limit?.aborted === true && !this.#signal.aborted;
      if (!isLate || this.#place === undefined) return result;
      await this.#giveUp();
      return this.#ended(result);
    } catch (error) {
      // The server works on, and the session remembers at what: the next attempt waits for that.
      const cause = OutboundError.from(error);
      if (cause === undefined) throw error;
      return failed(cause.message, cause.retryable);
    } finally {
      if (isCancellation(this.#signal)) await this.#giveUp();
    }
  }

  /** Has the server give up what it still executes. */
  async #giveUp(): Promise<void> {
    if (this.#place !== undefined) await this.#service.server.cancel(this.#place);
    this.#place = undefined;
  }

  async *#converse(signal: AbortSignal): Events<FinalRunResult> {
    const { starts, requestOf, isStreamed } = this.#service;
    const threadId = threadIdOf(this.#run);
    const { running } = this.#memory;
    // A run that was cancelled since, e.g. as its time was up, is begun anew, as is one that the server has forgotten.
    if (threadId !== undefined && running?.run === this.#run.id) {
      const result = await this.#settled({ threadId, runId: running.id }, undefined, signal);
      if (typeof result === 'object') return result;
    }
    const request = await requestOf(this.#run, this.#pending);
    if (!request.ok) return request.failure;
    const thread = threadId === undefined ? '' : `/threads/${threadId}`;
    const path = `${thread}/runs/${isStreamed ? 'stream' : 'wait'}`;
    const call = { method: 'POST', path, body: request.value } as const;
    // The next start of a gateway that only stops goes on with the run.
    const isGivenUp = (): boolean => !this.#signal.aborted || isCancellation(this.#signal);
    const answered = await starts.begin({ call, threadId, signal, isGivenUp });
    if (!answered.ok) return answered.failure;
    const { response } = answered.value;
    const told = placeOf(response);
    const place = told && { runId: told.runId, threadId: threadId ?? told.threadId };
    this.#place = place;
    if (place !== undefined) await this.#remember(place.runId);
    const { state, failure } = isStreamed ? yield* readStream(answered.value) : await readState(response);
    if (failure !== undefined) return this.#ended(failure);
    if (threadId === undefined || place === undefined || isError(state)) {
      return state === undefined
        ? this.#ended(failed('agent ended its answer too early', true))
        : this.#interpreted(state);
    }
    // An answer also ends when the server stops, or when somebody cancels the run there: the state is then not the last.
    const result = await this.#settled({ ...place, threadId }, state, signal);
    if (typeof result === 'object') return result;
    const isCancelled = result === 'cancelled';
    const message = isCancelled ? 'the run was cancelled on the server' : 'agent knows nothing of its run any more';
    return this.#ended(failed(message, !isCancelled));
  }

  /** The result of a run that the server has begun, when that has ended, or why there is none. */
  async #settled(
    run: ThreadRun,
    told: JsonValue | undefined,
    signal: AbortSignal,
  ): Promise<FinalRunResult | 'unknown' | 'cancelled'> {
    const { server } = this.#service;
    this.#place = run;
    const end = await endOf(run, server, signal);
    switch (end.kind) {
      case 'failed':
        return end.failure;
      case 'unknown':
        this.#place = undefined;
        return 'unknown';
      case 'error':
        return this.#ended(graphFailure(undefined));
    }
    // Of several questions a run may have told the last one only, or none if some of them have been answered.
    const isQuestioned = isAsking(told) || (this.#pending ?? []).length > 1;
    if (told !== undefined && !end.waited && end.kind === 'success' && !isQuestioned) return this.#interpreted(told);
    const stored = await stateOf(run.threadId, server, signal);
    if (!stored.ok) return stored.failure;
    const state = isAsking(told) && !isAsking(stored.value) ? told : stored.value;
    if (end.kind === 'success' || isAsking(state)) return this.#interpreted(state);
    this.#place = undefined;
    return 'cancelled';
  }

  async #interpreted(state: JsonValue): Promise<FinalRunResult> {
    const { result, asked } = await this.#service.interpret(state, this.#run);
    return this.#ended(result, asked);
  }

  /** The result of a run that is over on the server, with what the session remembers of it. */
  #ended(result: FinalRunResult, asked?: readonly string[]): FinalRunResult {
    this.#place = undefined;
    if (this.#run.session === undefined) return result;
    const unanswered = result.kind === 'failed' && this.#pending !== undefined;
    const memory: Memory = unanswered ? { asked: this.#pending, answeredBy: this.#run.id } : asked ? { asked } : {};
    return { ...result, memory: asJson(memory, this.#service.serverId) };
  }

  async #remember(runId: string): Promise<void> {
    const answering = this.#pending && { asked: this.#pending, answeredBy: this.#run.id };
    const running = { run: this.#run.id, id: runId };
    await this.#run.session?.remember(asJson({ ...answering, running }, this.#service.serverId));
  }
}

function isError(state: JsonValue | undefined): boolean {
  return objectOf(state).__error__ !== undefined;
}

function isAsking(state: JsonValue | undefined): state is JsonValue {
  return objectOf(state).__interrupt__ !== undefined;
}
