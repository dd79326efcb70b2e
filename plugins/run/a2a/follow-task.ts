import type { Task } from '@a2a-js/sdk';
import type { FailedRunResult } from '../../../src/contract/index.ts';
import { AgentFault, failed, pause, poll, type Seen } from '../../../src/run-kit/index.ts';
import type { Agent } from './agent.ts';
import type { HistoryLength } from './dialect.ts';
import { RpcFault, taskNotFound } from './faults.ts';
import type { EventSource } from './rpc-client.ts';
import type { TaskAnswer } from './task-answer.ts';

/** Pauses between two polls, in milliseconds. */
const pauses = { firstMs: 50, longestMs: 5_000 };

export interface Following {
  readonly agent: Agent;
  readonly taskId: string;
  /** Where what is learned of the task is collected. */
  readonly answer: TaskAnswer;
  /** The stream on which the task began, if there is one. */
  readonly source: EventSource | undefined;
  /** Whether the task is subscribed to if there is no stream. */
  readonly subscribes: boolean;
  readonly history: HistoryLength;
  readonly signal: AbortSignal;
  /** Called after each change of the answer. */
  readonly publish: () => void;
}

/**
 * Follows a task until it is settled: by its stream while that lasts, else by polling. Returns a failure if the agent forgets
 * it. Throws an AgentFault if it cannot be followed, and rejects when the signal aborts.
 */
export async function followTask(following: Following): Promise<FailedRunResult | undefined> {
  const { agent, answer, source, subscribes, signal, publish } = following;
  publish();
  try {
    if (source !== undefined) await read(source, following);
    if (answer.isSettled) return undefined;
    if (source === undefined) {
      const isStreamed = subscribes && (await agent.connect(signal)).streaming;
      await (isStreamed ? subscribe(following) : pause(pauses.firstMs, signal));
    }
  } catch {
    // The connection was lost, or the agent refuses subscriptions: it is polled instead.
    signal.throwIfAborted();
  }
  // Also after a subscription that ended with the task: it may have repeated what its first event held already.
  return poll(following, pauses, (signal) => look(following, signal));
}

async function read({ events, complete }: EventSource, { answer, publish }: Following): Promise<void> {
  // Not `for await`, which would cut the stream before it is called complete.
  while (!answer.isSettled) {
    const next = await events.next();
    if (next.done) return;
    answer.apply(next.value);
    publish();
  }
  complete();
}

/** Its first event must be the task so far: otherwise later ones would be published as if they were all of it. */
async function subscribe(following: Following): Promise<void> {
  const { agent, taskId, answer, signal, publish } = following;
  const source = await (await agent.connect(signal)).subscribe(taskId, signal);
  const { value: first } = await source.events.next();
  if (first?.$case === 'task') {
    answer.apply(first);
    publish();
    await read(source, following);
  }
  await source.events.return();
}

async function look(
  { agent, taskId, answer, history, publish }: Following,
  signal: AbortSignal,
): Promise<Seen<FailedRunResult | undefined>> {
  const rpc = await agent.connect(signal);
  let task: Task;
  try {
    task = await rpc.getTask(taskId, history, signal);
  } catch (error) {
    if (!(error instanceof RpcFault) || error.code !== taskNotFound) throw error;
    return { result: failed('agent no longer knows the task', true) };
  }
  if (task.id !== taskId) throw new AgentFault(failed('agent answered with another task than it was asked for'));
  answer.apply({ $case: 'task', value: task });
  publish();
  return answer.isSettled ? { result: undefined } : {};
}
