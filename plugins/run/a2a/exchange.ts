import type {
  FailedRunResult,
  FinalRunResult,
  JsonObject,
  MaybePromise,
  RunRequest,
} from '../../../src/contract/index.ts';
import {
  type AgentAttempt,
  type Conclude,
  type Conversation,
  failed,
  failureOf,
  pause,
  poll,
  type Seen,
  type UsageReader,
  withDetail,
} from '../../../src/run-kit/index.ts';
import type { Agent } from './agent.ts';
import { messagePieces, outputOf, partsIn, textIn } from './content.ts';
import type { AgentEvent } from './dialect.ts';
import { RpcFault, taskNotFound, unusable } from './faults.ts';
import type { RpcClient } from './rpc-client.ts';
import { checkedId, TaskAnswer } from './task-answer.ts';
import { needsAuthorization } from './task-state.ts';

/** What all exchanges of an instance use. */
export interface Service {
  readonly agent: Agent;
  readonly conversation: Conversation;
  readonly conclude: Conclude;
  /** Finds the tokens that the agent reports, by the option `usage`. */
  readonly usage: UsageReader | undefined;
  /** Whether the text of the task is published: it is not that of an output which an expression returns. */
  readonly isPublished: boolean;
}

/** Pauses before the first poll and between two, in milliseconds. */
const pauses = { firstMs: 50, longestMs: 5_000 };

/** One attempt of a run: a message to the agent, and the task that it makes of it. */
export class Exchange {
  readonly #service: Service;
  readonly #run: RunRequest;
  readonly #attempt: AgentAttempt;
  readonly #answer = new TaskAnswer();
  /** What the session remembers if the run ends now: the context, and the task that waits for an answer; empty if none. */
  #contextId: string;
  #taskId: string;
  /** Whether the agent has made a task of the message. */
  #hasTask = false;

  /** @param thread what the session remembers, or the handle of a task to resume */
  constructor(service: Service, run: RunRequest, attempt: AgentAttempt, { contextId, taskId }: JsonObject) {
    this.#service = service;
    this.#run = run;
    this.#attempt = attempt;
    this.#contextId = textIn(contextId);
    this.#taskId = textIn(taskId);
  }

  /** Sends a message, and follows the task that the agent makes of it. */
  async begin(parts: JsonObject[]): Promise<FinalRunResult> {
    // By the id, the same for each attempt, an agent can recognize a repeated one.
    const message = { messageId: this.#run.id, ...this.#thread, parts };
    const result = await this.#follow((rpc) => rpc.send(message, this.#attempt.lingering));
    return result ?? (this.#answer.isSettled ? this.#settled() : this.#poll());
  }

  /** Follows a task that an earlier attempt began. */
  async resume(): Promise<FinalRunResult> {
    this.#hasTask = true;
    const result = await this.#follow((rpc) => rpc.subscribe(this.#taskId, this.#attempt.signal));
    // Also if the task has ended: the subscription may have repeated what its first event held already.
    return result ?? this.#poll();
  }

  /** Reads events while they last, or until the task is settled. Returns a result if there is no task. */
  async #follow(open: (rpc: RpcClient) => AsyncIterable<AgentEvent>): Promise<FinalRunResult | undefined> {
    const { signal } = this.#attempt;
    try {
      const rpc = (await this.#service.agent.connect(signal)).forRun(this.#run);
      for await (const event of open(rpc)) {
        if (!this.#hasTask && event.kind === 'message') return await this.#answered(event.value);
        // What is subscribed to begins with the task so far: otherwise the rest would be published as if it were all of it.
        if (this.#hasTask && this.#answer.id === '' && event.kind !== 'task') return undefined;
        this.#answer.apply(event);
        if (!this.#hasTask) await this.#begun(rpc);
        this.#publish();
        if (this.#answer.isSettled) return undefined;
      }
      if (!this.#hasTask) throw unusable('a stream without an event');
    } catch (error) {
      signal.throwIfAborted();
      // Throws an error that is a bug.
      const failure = failureOf(error);
      // With a task, the connection was lost, or the agent refuses subscriptions: it is polled instead.
      if (!this.#hasTask) return this.#refused(failure, error);
    }
    return undefined;
  }

  /** From now on the task can be cancelled, and resumed by another attempt. */
  async #begun(rpc: RpcClient): Promise<void> {
    const { id, contextId, isSettled } = this.#answer;
    if (id === '') throw unusable('a task that has no id');
    this.#hasTask = true;
    this.#taskId = id;
    this.#contextId = contextId || this.#contextId;
    this.#attempt.onAbandon(() => rpc.cancelTask(id, this.#run.id));
    if (!isSettled) await this.#attempt.progress.save(this.#memory);
  }

  async #poll(): Promise<FinalRunResult> {
    const { signal } = this.#attempt;
    try {
      await pause(pauses.firstMs, signal);
      await poll(this.#attempt, pauses, (signal) => this.#look(signal));
    } catch (error) {
      signal.throwIfAborted();
      const isForgotten = error instanceof RpcFault && error.code === taskNotFound;
      return this.#ended(isForgotten ? failed('agent no longer knows the task', true) : failureOf(error));
    }
    return this.#settled();
  }

  async #look(signal: AbortSignal): Promise<Seen<undefined>> {
    const rpc = (await this.#service.agent.connect(signal)).forRun(this.#run);
    const task = await rpc.getTask(this.#taskId, signal);
    if (task.id !== this.#taskId) throw unusable('another task than it was asked for');
    this.#answer.apply({ kind: 'task', value: task });
    this.#publish();
    return this.#answer.isSettled ? { result: undefined } : {};
  }

  #publish(): void {
    const text = this.#service.isPublished ? this.#answer.takeDelta() : '';
    if (text !== '') this.#attempt.progress.emit({ kind: 'delta', text });
  }

  /** The result of an agent that answers with a message, and begins no task. */
  #answered(message: JsonObject): Promise<FinalRunResult> {
    this.#taskId = '';
    this.#contextId = checkedId(message.contextId) || this.#contextId;
    const parts = partsIn(message);
    if (parts.length === 0) throw unusable('a message without parts');
    const output = outputOf(parts, () => messagePieces(parts).join(''));
    return this.#service.conclude(this.#run, { output, whole: message, memory: this.#memory });
  }

  async #settled(): Promise<FinalRunResult> {
    const { meaning, output, statusMessage } = this.#answer;
    // What waits for an authorization would continue once it arrives, although its run has failed.
    if (meaning === needsAuthorization) {
      await this.#service.agent.cancelTask(this.#taskId, this.#run.id).catch(() => {});
    }
    this.#attempt.onAbandon(undefined);
    if (meaning === 'input_required') return this.#remembering(await this.#withUsage({ kind: meaning, output }));
    if (typeof meaning === 'object') return this.#ended(await this.#withUsage(withDetail(meaning, statusMessage)));
    this.#taskId = '';
    return this.#service.conclude(this.#run, { output, whole: this.#answer.toJson(), memory: this.#memory });
  }

  /** A task that has not completed has used tokens too. */
  #withUsage(result: FinalRunResult): MaybePromise<FinalRunResult> {
    return this.#service.usage?.withUsage(result, this.#answer.toJson(), this.#run) ?? result;
  }

  /** A refusal may be due to what the session remembers: it is forgotten, or each request of the session would fail. */
  #refused(failure: FailedRunResult, error: unknown): FinalRunResult {
    if (failure.retryable) return failure;
    this.#service.agent.forgetCard();
    if (!(error instanceof RpcFault)) return failure;
    if (this.#taskId !== '') {
      const message = `${failure.message}: the task that asked is given up, and the next request begins a new one`;
      return this.#ended({ ...failure, message });
    }
    if (this.#contextId === '' || !error.refusesContext) return failure;
    this.#contextId = '';
    const message = `${failure.message}: the conversation is given up, and the next request begins a new one`;
    return this.#remembering({ ...failure, message });
  }

  /** A result after which the context continues without the task. */
  #ended(result: FinalRunResult): FinalRunResult {
    this.#taskId = '';
    return this.#remembering(result);
  }

  #remembering(result: FinalRunResult): FinalRunResult {
    return this.#run.session === undefined ? result : { ...result, memory: this.#memory };
  }

  get #memory(): JsonObject {
    const thread = this.#thread;
    return Object.keys(thread).length === 0 ? {} : this.#service.conversation.remember(thread);
  }

  get #thread(): JsonObject {
    const [contextId, taskId] = [this.#contextId, this.#taskId];
    return { ...(contextId !== '' && { contextId }), ...(taskId !== '' && { taskId }) };
  }
}
