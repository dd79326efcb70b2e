import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamResponse } from '@a2a-js/sdk';
import type { RunEvent } from '../../../src/contract/index.ts';
import type { Agent } from './agent.ts';
import { AgentFault, errorCodeOf, failureOf, taskNotFound } from './fault.ts';
import type { OpenStream } from './held-streams.ts';
import type { HistoryLength } from './request.ts';
import { TaskAnswer } from './task-answer.ts';

/** Pauses between two questions after a task, in milliseconds: each longer than the one before, up to the longest. */
const pauses = { firstMs: 50, factor: 1.5, longestMs: 5_000 };

type Deltas<Result> = AsyncGenerator<RunEvent, Result, undefined>;

export interface Watch {
  readonly agent: Agent;
  readonly taskId: string;
  /** Whether a subscription is tried if there is no stream. */
  readonly subscribes: boolean;
  /** Whether the text of the output is told as it comes. */
  readonly tells: boolean;
  readonly historyLength: HistoryLength;
  readonly signal: AbortSignal;
}

/**
 * Waits for the end of a task and tells what comes of it, by its stream as long as that holds, else by asking after it.
 * Throws what the SDK throws if the task cannot be followed to its end, or when the signal aborts.
 */
export async function* watchTask(watch: Watch, stream: OpenStream | undefined): Deltas<TaskAnswer> {
  const { agent, signal } = watch;
  signal.throwIfAborted();
  const answer = stream?.answer ?? new TaskAnswer();
  let pauseMs = 0;
  try {
    if (stream !== undefined) {
      signal.addEventListener('abort', stream.close, { once: true });
      yield* told(watch, answer);
      yield* read(watch, stream.events, answer);
      if (answer.isSettled) return answer;
    } else if (watch.subscribes && (await agent.connect(signal)).streaming) {
      yield* subscribe(watch, answer);
    } else {
      pauseMs = pauses.firstMs;
    }
  } catch {
    // A connection that was cut, or an agent that cannot be subscribed to: it is asked instead.
    signal.throwIfAborted();
  } finally {
    stream?.close();
  }
  // Also after a subscription to the end: it may repeat what the task held when it began.
  return yield* poll(watch, answer, pauseMs);
}

/** Only if the task as it stands comes first: what comes later would be told as if it were all. */
async function* subscribe(watch: Watch, answer: TaskAnswer): Deltas<void> {
  const { client } = await watch.agent.connect(watch.signal);
  const events = client.resubscribeTask({ tenant: '', id: watch.taskId }, { signal: watch.signal });
  const first = await events.next();
  const payload = first.done ? undefined : first.value.payload;
  if (payload?.$case === 'task') {
    answer.apply(payload);
    yield* told(watch, answer);
    yield* read(watch, events, answer);
  }
  await events.return();
}

async function* read(watch: Watch, events: AsyncIterable<StreamResponse>, answer: TaskAnswer): Deltas<void> {
  for await (const { payload } of events) {
    if (payload === undefined) continue;
    answer.apply(payload);
    yield* told(watch, answer);
    if (answer.isSettled) return;
  }
}

async function* poll(watch: Watch, answer: TaskAnswer, firstMs: number): Deltas<TaskAnswer> {
  const { agent, taskId, historyLength, signal } = watch;
  let pauseMs = firstMs;
  for (;;) {
    await sleep(pauseMs, undefined, { signal });
    pauseMs = Math.min(Math.max(pauseMs * pauses.factor, pauses.firstMs), pauses.longestMs);
    try {
      const { client } = await agent.connect(signal);
      const task = await client.getTask({ tenant: '', id: taskId, ...historyLength }, { signal });
      if (task.id !== taskId) throw new AgentFault('agent answered with another task than it was asked after');
      answer.apply({ $case: 'task', value: task });
    } catch (error) {
      signal.throwIfAborted();
      if (errorCodeOf(error) === taskNotFound) throw new AgentFault('agent does not know the task any more', true);
      const { retryable, retryAfterMs = 0 } = failureOf(error);
      if (!retryable) throw error;
      // It is waited for and not begun anew: what the agent works on may be done when it is back.
      await sleep(retryAfterMs, undefined, { signal });
      continue;
    }
    yield* told(watch, answer);
    if (answer.isSettled) return answer;
  }
}

function* told({ tells }: Watch, answer: TaskAnswer): Generator<RunEvent, void, undefined> {
  const text = tells ? answer.takeDelta() : '';
  if (text !== '') yield { kind: 'delta', text };
}
