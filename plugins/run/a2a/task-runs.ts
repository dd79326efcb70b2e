import { type Message, TaskState } from '@a2a-js/sdk';
import type {
  Attempt,
  FailedRunResult,
  FinalRunResult,
  JsonObject,
  JsonValue,
  MaybePromise,
  RunRequest,
} from '../../../src/contract/index.ts';
import {
  type AgentAttempt,
  type Answer,
  type Conclude,
  Conversation,
  failed,
  failureOf,
  type Mapped,
  settle,
} from '../../../src/run-kit/index.ts';
import { Agent, type Clients } from './agent.ts';
import type { Addresses } from './check-options.ts';
import type { AgentEvent, HistoryLength, RequestMessage, RequestPart } from './dialect.ts';
import { RpcFault } from './faults.ts';
import { followTask } from './follow-task.ts';
import type { Options } from './options.gen.ts';
import { answerOfMessage, answerOfTask } from './result.ts';
import type { EventSource, RpcClient } from './rpc-client.ts';
import { checkedId, TaskAnswer, unusable } from './task-answer.ts';

export interface TaskRunParts {
  readonly options: Options;
  readonly addresses: Addresses;
  readonly clients: Clients;
  readonly partsOf: (run: RunRequest) => Promise<Mapped<readonly RequestPart[]>>;
  readonly conclude: Conclude;
}

/** What a session remembers, and a handle. */
interface Thread {
  readonly contextId: string;
  /** The task that waits for an answer, or is worked on; empty if there is none. */
  readonly taskId: string;
}

const nothing: Thread = { contextId: '', taskId: '' };

/** Runs that are messages to an agent, and the tasks that it makes of them. */
export class TaskRuns {
  readonly #parts: TaskRunParts;
  readonly #agent: Agent;
  readonly #conversation: Conversation;
  /** Only an expression may read what was said before. */
  readonly #history: HistoryLength;

  constructor(parts: TaskRunParts) {
    const { clients, options, addresses } = parts;
    this.#parts = parts;
    this.#agent = new Agent(clients, addresses);
    this.#conversation = new Conversation(addresses.card, addresses.endpoint);
    this.#history = options.output === undefined ? { historyLength: 0 } : {};
  }

  async execute(run: RunRequest, host: Attempt): Promise<FinalRunResult> {
    const parts = await this.#parts.partsOf(run);
    if (!parts.ok) return parts.failure;
    return settle(host, (attempt) => this.#begin(run, parts.value, attempt));
  }

  resume(run: RunRequest, handle: JsonValue, host: Attempt): MaybePromise<FinalRunResult> {
    const task = threadOf(this.#conversation.recall(handle));
    if (task.taskId === '') return failed('the task was begun by another agent, and cannot be resumed');
    return settle(
      host,
      (attempt) => this.#follow(run, task, attempt, new TaskAnswer()),
      () => this.#cancel(run, task),
    );
  }

  async #begin(run: RunRequest, parts: readonly RequestPart[], attempt: AgentAttempt): Promise<FinalRunResult> {
    const before = threadOf(this.#conversation.recall(run.session?.memory));
    // By the id, the same for each attempt, an agent can recognize a repeated one.
    const message = { messageId: run.id, ...before, parts };
    let rpc: RpcClient;
    let taken: Taken;
    try {
      rpc = await this.#agent.connect(attempt.signal);
      taken = await this.#send(rpc, message, attempt.lingering);
    } catch (error) {
      attempt.signal.throwIfAborted();
      return this.#refused(run, before, failureOf(error), error);
    }
    const contextId = taken.contextId || before.contextId;
    if (taken.kind === 'message') {
      const answer = answerOfMessage(taken.message, this.#parts.options.output !== undefined);
      return this.#conclude(run, { contextId, taskId: '' }, answer);
    }
    const { answer, source } = taken;
    const task = { contextId, taskId: answer.id };
    attempt.onAbandon(() => rpc.cancelTask(task.taskId, run.id));
    if (!answer.isSettled) await attempt.progress.save(this.#conversation.remember({ ...task }));
    return this.#follow(run, task, attempt, answer, source);
  }

  async #send(rpc: RpcClient, message: RequestMessage, signal: AbortSignal): Promise<Taken> {
    if (!this.#parts.options.stream || !rpc.streaming) {
      return takenOf(await rpc.sendMessage(message, this.#history, signal));
    }
    const source = await rpc.streamMessage(message, this.#history, signal);
    const { value: first } = await source.events.next();
    if (first === undefined) throw unusable('a stream without an event');
    return takenOf(first, source);
  }

  async #follow(
    run: RunRequest,
    task: Thread,
    attempt: AgentAttempt,
    answer: TaskAnswer,
    source?: EventSource,
  ): Promise<FinalRunResult> {
    const { stream: subscribes, output } = this.#parts.options;
    // The text of the task is not the text that an expression makes of it.
    const isPublished = subscribes && output === undefined;
    const publish = (): void => {
      const text = isPublished ? answer.takeDelta() : '';
      if (text !== '') attempt.progress.emit({ kind: 'delta', text });
    };
    const ended = { contextId: task.contextId, taskId: '' };
    try {
      const { signal } = attempt;
      const [agent, history] = [this.#agent, this.#history];
      const lost = await followTask({
        ...{ agent, taskId: task.taskId, answer, source, subscribes, history, signal, publish },
      });
      if (lost !== undefined) return this.#remembering(run, ended, lost);
    } catch (error) {
      attempt.signal.throwIfAborted();
      return this.#remembering(run, ended, failureOf(error));
    }
    // What waits for an authorization would continue once it arrives, although its run has failed.
    if (answer.state === TaskState.TASK_STATE_AUTH_REQUIRED) {
      await this.#cancel(run, task).catch(() => {});
    }
    attempt.onAbandon(undefined);
    const result = answerOfTask(answer, output !== undefined);
    if (result.kind === 'failed') return this.#remembering(run, ended, result);
    if (result.kind === 'input_required') {
      return this.#remembering(run, task, { kind: 'input_required', output: result.output });
    }
    return this.#conclude(run, ended, result);
  }

  /** A refusal may be due to what the session remembers: it is forgotten, or each request of the session would fail. */
  #refused(run: RunRequest, before: Thread, failure: FailedRunResult, error: unknown): FinalRunResult {
    if (failure.retryable) return failure;
    this.#agent.forgetCard();
    if (!(error instanceof RpcFault)) return failure;
    if (before.taskId !== '') {
      const message = `${failure.message}: the task that asked is given up, and the next request begins a new one`;
      return this.#remembering(run, { ...before, taskId: '' }, { ...failure, message });
    }
    if (before.contextId === '' || !error.refusesContext) return failure;
    const message = `${failure.message}: the conversation is given up, and the next request begins a new one`;
    return this.#remembering(run, nothing, { ...failure, message });
  }

  /** Rejects if the agent card cannot be read. */
  async #cancel(run: RunRequest, { taskId }: Thread): Promise<void> {
    const rpc = await this.#agent.connect(AbortSignal.timeout(cancelTimeoutMs));
    await rpc.cancelTask(taskId, run.id);
  }

  #conclude(run: RunRequest, thread: Thread, answer: Answer): Promise<FinalRunResult> {
    return this.#parts.conclude(run, { ...answer, memory: this.#memoryOf(thread) });
  }

  #remembering(run: RunRequest, thread: Thread, result: FinalRunResult): FinalRunResult {
    return run.session === undefined ? result : { ...result, memory: this.#memoryOf(thread) };
  }

  #memoryOf({ contextId, taskId }: Thread): JsonObject {
    if (contextId === '' && taskId === '') return {};
    return this.#conversation.remember({ ...(contextId !== '' && { contextId }), ...(taskId !== '' && { taskId }) });
  }
}

/** How long the agent card may take when a task is to be cancelled, in milliseconds. */
const cancelTimeoutMs = 3_000;

/** How the agent took a message: it answered, or it began a task. */
type Taken = { readonly contextId: string } & (
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'task'; readonly answer: TaskAnswer; readonly source: EventSource | undefined }
);

function takenOf(event: AgentEvent, source?: EventSource): Taken {
  if (event.$case === 'message') {
    source?.complete();
    return { kind: 'message', message: event.value, contextId: checkedId(event.value.contextId) };
  }
  const answer = new TaskAnswer();
  answer.apply(event);
  if (answer.id === '') throw unusable('a task that has no id');
  return { kind: 'task', answer, source, contextId: answer.contextId };
}

function threadOf({ contextId, taskId }: JsonObject): Thread {
  return { contextId: text(contextId), taskId: text(taskId) };
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
