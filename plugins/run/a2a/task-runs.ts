import { type Part, TaskState } from '@a2a-js/sdk';
import type {
  FinalRunResult,
  JsonValue,
  OutboundClient,
  RunEvent,
  RunRequest,
  RunResult,
} from '../../../src/contract/index.ts';
import { agentDigest } from '../agent-digest.ts';
import type { Mapping } from '../mapping.ts';
import { Agent } from './agent.ts';
import { createAgentFetch } from './agent-fetch.ts';
import type { Addresses } from './check-options.ts';
import { errorCodeOf, failureOf, refusesContext } from './fault.ts';
import { HeldStreams, type OpenStream } from './held-streams.ts';
import type { Options } from './options.gen.ts';
import {
  type Conversation,
  type Handle,
  handleOf,
  memoryOf,
  nothing,
  readConversation,
  readHandle,
} from './remembered.ts';
import { type HistoryLength, partsOf, requestOf } from './request.ts';
import { resultOfMessage, resultOfTask } from './result.ts';
import { sendMessage, streamMessage, type Taken } from './send-message.ts';
import type { TaskAnswer } from './task-answer.ts';
import { TimeLimit } from './time-limit.ts';
import { type Watch, watchTask } from './watch-task.ts';

/** How long the agent may take to take note of a cancellation, in milliseconds. */
const cancelTimeoutMs = 3_000;

export interface TaskRunParts {
  readonly options: Options;
  readonly addresses: Addresses;
  readonly client: OutboundClient;
  /** For what must not wait until an answer has ended. */
  readonly clientAside: OutboundClient;
  readonly message: Mapping<string> | undefined;
  readonly output: Mapping<JsonValue | undefined> | undefined;
}

/** Runs that are messages to an agent, and the tasks that it makes of them. */
export class TaskRuns {
  readonly #parts: TaskRunParts;
  readonly #agent: Agent;
  /** Stands for the agent in what is remembered. */
  readonly #agentId: string;
  readonly #held = new HeldStreams();
  /** Nobody needs what was said before, but an expression may. */
  readonly #history: HistoryLength;

  constructor(parts: TaskRunParts) {
    const { addresses, client, clientAside, options, output } = parts;
    this.#parts = parts;
    this.#agent = new Agent(addresses, {
      main: createAgentFetch(client, options.headers),
      aside: createAgentFetch(clientAside, options.headers),
    });
    this.#agentId = agentDigest(addresses.card, addresses.endpoint);
    this.#history = output === undefined ? { historyLength: 0 } : {};
  }

  async execute(run: RunRequest, signal: AbortSignal): Promise<RunResult> {
    const { message, options } = this.#parts;
    const parts = await partsOf(run, message, options.data);
    if (!parts.ok) return parts.failure;
    const limit = new TimeLimit(signal, options.timeout);
    try {
      return await this.#send(run, parts.value, limit);
    } finally {
      limit.end();
    }
  }

  async #send(run: RunRequest, parts: Part[], limit: TimeLimit): Promise<RunResult> {
    const { options, output } = this.#parts;
    const before = readConversation(run.session?.memory, this.#agentId);
    let taken: Taken;
    try {
      const { client, streaming } = await this.#agent.connect(limit.signal);
      const send = options.stream && streaming ? streamMessage : sendMessage;
      taken = await send(client, requestOf(run, before, parts, this.#history), limit.lingering);
    } catch (error) {
      return limit.signal.aborted ? limit.failure : this.#refused(run, before, error);
    }
    const conversation = { contextId: taken.contextId || before.contextId, taskId: '' };
    if (taken.kind === 'message') {
      return this.#remembering(run, conversation, await resultOfMessage(run, taken.message, output));
    }
    const task: Handle = { ...conversation, taskId: taken.answer.id, endsAt: limit.endsAt };
    const { stream } = taken;
    const isLeft = limit.signal.aborted;
    if (!isLeft && !taken.answer.isSettled) {
      if (stream !== undefined) this.#held.hold(run.id, stream);
      return { kind: 'detached', handle: handleOf(task, this.#agentId) };
    }
    stream?.close();
    return isLeft ? this.#left(run, task, limit) : this.#settled(run, task, taken.answer);
  }

  resume(run: RunRequest, handle: JsonValue, signal: AbortSignal): RunResult {
    const stream = this.#held.take(run.id);
    const task = readHandle(handle, this.#agentId);
    if (task !== undefined) return { kind: 'stream', events: this.#watch(run, task, signal, stream) };
    stream?.close();
    return { kind: 'failed', message: 'what another agent has begun cannot be followed', retryable: false };
  }

  async *#watch(
    run: RunRequest,
    task: Handle,
    signal: AbortSignal,
    stream: OpenStream | undefined,
  ): AsyncGenerator<RunEvent, FinalRunResult, undefined> {
    const { options, output } = this.#parts;
    const limit = new TimeLimit(signal, options.timeout, task.endsAt - Date.now());
    const { stream: subscribes } = options;
    const watch: Watch = {
      agent: this.#agent,
      taskId: task.taskId,
      subscribes,
      // The text of the task is not the text of what an expression makes of it.
      tells: subscribes && output === undefined,
      historyLength: this.#history,
      signal: limit.signal,
    };
    let answer: TaskAnswer;
    try {
      answer = yield* watchTask(watch, stream);
    } catch (error) {
      if (limit.signal.aborted) return this.#left(run, task, limit);
      return this.#remembering(run, { ...task, taskId: '' }, failureOf(error));
    } finally {
      limit.end();
    }
    return this.#settled(run, task, answer);
  }

  /** The end of a task, of which the session remembers only a question that it ends with. */
  async #settled(run: RunRequest, task: Conversation, answer: TaskAnswer): Promise<FinalRunResult> {
    // What waits for an authorization would go on once it comes, though its run has failed.
    if (answer.state === TaskState.TASK_STATE_AUTH_REQUIRED) await this.#cancel(task.taskId);
    const result = await resultOfTask(run, answer, this.#parts.output);
    return this.#remembering(run, result.kind === 'input_required' ? task : { ...task, taskId: '' }, result);
  }

  /** The end of a run before the end of its task. */
  async #left(run: RunRequest, task: Conversation, limit: TimeLimit): Promise<FinalRunResult> {
    if (limit.isGivenUp) await this.#cancel(task.taskId);
    return this.#remembering(run, { ...task, taskId: '' }, limit.failure);
  }

  #refused(run: RunRequest, before: Conversation, error: unknown): FinalRunResult {
    const failure = failureOf(error);
    if (failure.retryable) return failure;
    this.#agent.forgetCard();
    const code = errorCodeOf(error);
    if (code === undefined) return failure;
    if (before.taskId !== '') {
      // To answer the same task again and again would be of no use.
      const message = `${failure.message}: the task that asked is given up, and the next request begins a new one`;
      return this.#remembering(run, { ...before, taskId: '' }, { ...failure, message });
    }
    if (before.contextId === '' || !refusesContext(code)) return failure;
    // An agent that has been started anew may know nothing of it, and would refuse every request of the session.
    const message = `${failure.message}: the conversation is given up, and the next request begins a new one`;
    return this.#remembering(run, nothing, { ...failure, message });
  }

  async #cancel(id: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(cancelTimeoutMs);
      const { aside } = await this.#agent.connect(signal);
      await aside.cancelTask({ tenant: '', id, metadata: undefined }, { signal });
    } catch {
      // It has ended, cannot be cancelled, or its agent is gone: there is no more to be done about it.
    }
  }

  #remembering(run: RunRequest, conversation: Conversation, result: FinalRunResult): FinalRunResult {
    return run.session === undefined ? result : { ...result, memory: memoryOf(conversation, this.#agentId) };
  }
}
