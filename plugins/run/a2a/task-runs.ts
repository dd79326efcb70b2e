import { TaskState } from '@a2a-js/sdk';
import type {
  FinalRunResult,
  JsonValue,
  OutboundClient,
  Run,
  RunEvent,
  RunRequest,
  RunResult,
} from '../../../src/contract/index.ts';
import type { Mapping } from '../mapping.ts';
import { Agent } from './agent.ts';
import { createAgentFetch } from './agent-fetch.ts';
import type { Addresses } from './check-options.ts';
import { errorCodeOf, failureOf } from './fault.ts';
import { HeldStreams, type OpenStream } from './held-streams.ts';
import type { Options } from './options.gen.ts';
import { type Conversation, type Handle, handleOf, memoryOf, readConversation, readHandle } from './remembered.ts';
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
  readonly message: Mapping<string> | undefined;
  readonly output: Mapping<JsonValue | undefined> | undefined;
}

/** Runs that are messages to an agent, and the tasks that it makes of them. */
export class TaskRuns implements Required<Pick<Run, 'execute' | 'follow'>> {
  readonly #parts: TaskRunParts;
  readonly #agent: Agent;
  readonly #held = new HeldStreams();
  /** Nobody needs what was said before, but an expression may. */
  readonly #history: HistoryLength;

  constructor(parts: TaskRunParts) {
    const { addresses, client, options, output } = parts;
    this.#parts = parts;
    this.#agent = new Agent(addresses, createAgentFetch(client, options.headers));
    this.#history = output === undefined ? { historyLength: 0 } : {};
  }

  async execute(run: RunRequest, signal: AbortSignal): Promise<RunResult> {
    const { message, options, output } = this.#parts;
    const parts = await partsOf(run, message, options.data);
    if (!parts.ok) return parts.failure;
    const before = readConversation(run.session?.memory);
    const limit = new TimeLimit(signal, options.timeout);
    let taken: Taken;
    try {
      const { client, streaming } = await this.#agent.connect(limit.signal);
      const send = options.stream && streaming ? streamMessage : sendMessage;
      taken = await send(client, requestOf(run, before, parts.value, this.#history), limit.lingering);
    } catch (error) {
      return limit.signal.aborted ? limit.failure : this.#refused(run, before, error);
    }
    const conversation = { contextId: taken.contextId || before.contextId, taskId: '' };
    if (taken.kind === 'message') {
      return remembering(run, conversation, await resultOfMessage(run, taken.message, output));
    }
    const task: Handle = { ...conversation, taskId: taken.answer.id, endsAt: limit.endsAt };
    const { stream } = taken;
    const isLeft = limit.signal.aborted;
    if (!isLeft && !taken.answer.isSettled) {
      if (stream !== undefined) this.#held.hold(run.id, stream);
      return { kind: 'detached', handle: handleOf(task) };
    }
    stream?.close();
    return isLeft ? this.#left(run, task, limit) : this.#settled(run, task, taken.answer);
  }

  follow(run: RunRequest, handle: JsonValue, signal: AbortSignal): RunResult {
    const stream = this.#held.take(run.id);
    const task = readHandle(handle);
    if (task !== undefined) return { kind: 'stream', events: this.#watch(run, task, signal, stream) };
    stream?.close();
    return { kind: 'failed', message: 'what another run plugin has begun cannot be followed', retryable: false };
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
      return remembering(run, { ...task, taskId: '' }, failureOf(error));
    }
    return this.#settled(run, task, answer);
  }

  /** The end of a task, of which the session remembers only a question that it ends with. */
  async #settled(run: RunRequest, task: Conversation, answer: TaskAnswer): Promise<FinalRunResult> {
    // What waits for an authorization would go on once it comes, though its run has failed.
    if (answer.state === TaskState.TASK_STATE_AUTH_REQUIRED) await this.#cancel(task.taskId);
    const result = await resultOfTask(run, answer, this.#parts.output);
    return remembering(run, result.kind === 'input_required' ? task : { ...task, taskId: '' }, result);
  }

  /** The end of a run before the end of its task. */
  async #left(run: RunRequest, task: Conversation, limit: TimeLimit): Promise<FinalRunResult> {
    if (limit.isGivenUp) await this.#cancel(task.taskId);
    return remembering(run, { ...task, taskId: '' }, limit.failure);
  }

  #refused(run: RunRequest, before: Conversation, error: unknown): FinalRunResult {
    const failure = failureOf(error);
    if (failure.retryable) return failure;
    this.#agent.forgetCard();
    if (before.taskId === '' || errorCodeOf(error) === undefined) return failure;
    // To answer the same task again and again would be of no use.
    const message = `${failure.message}: the task that asked is given up, and the next request begins a new one`;
    return remembering(run, { ...before, taskId: '' }, { ...failure, message });
  }

  async #cancel(id: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(cancelTimeoutMs);
      const { client } = await this.#agent.connect(signal);
      await client.cancelTask({ tenant: '', id, metadata: undefined }, { signal });
    } catch {
      // It has ended, cannot be cancelled, or its agent is gone: there is no more to be done about it.
    }
  }
}

function remembering(run: RunRequest, conversation: Conversation, result: FinalRunResult): FinalRunResult {
  return run.session === undefined ? result : { ...result, memory: memoryOf(conversation) };
}
