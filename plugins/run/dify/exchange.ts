import type { FinalRunResult, RunEvent, RunRequest } from '../../../src/contract/index.ts';
import {
  type AgentAttempt,
  type AgentClient,
  type Conclude,
  type Conversation,
  EventStream,
  failed,
  idIn,
  isObject,
  parsed,
} from '../../../src/run-kit/index.ts';
import { AnswerReader } from './answer.ts';
import { refusalIn } from './failure.ts';
import type { Message } from './message.ts';
import type { Options } from './options.gen.ts';

/** What all exchanges of an instance use. */
export interface Service {
  readonly agent: AgentClient;
  readonly app: Options['app'];
  /** Whether an expression makes the output. */
  readonly isMapped: boolean;
  readonly conversation: Conversation;
  readonly conclude: Conclude;
}

/** Sends a message and streams the answer. */
export async function* exchange(
  { agent: client, app, isMapped, conversation, conclude }: Service,
  run: RunRequest,
  { body, user, conversationId: continued }: Message,
  attempt: AgentAttempt,
): AsyncGenerator<RunEvent, FinalRunResult, undefined> {
  const agent = client.forRun(run);
  const isWorkflow = app === 'workflow';
  const path = isWorkflow ? '/workflows/run' : '/chat-messages';
  const tasks = isWorkflow ? '/workflows/tasks' : '/chat-messages';
  const response = await agent.send({ path, body }, attempt.lingering);
  const refusal = await refusalIn(response, continued);
  if (refusal !== undefined) return refusal;
  const answer = new AnswerReader(isWorkflow, isMapped);
  const events = new EventStream(response);
  let conversationId = continued;
  let stoppable: string | undefined;
  // A cut connection does not stop Dify: the app would work on, and cost tokens. Only the same user may stop it.
  const stop = (taskId: string): Promise<void> => {
    const call = { path: `${tasks}/${encodeURIComponent(taskId)}/stop`, body: { user } };
    return agent.notify(call, 'the task could not be stopped', { runId: run.id });
  };
  try {
    for await (const event of events) {
      const data = parsed(event.data);
      if (!isObject(data)) continue;
      conversationId = idIn(data.conversation_id) ?? conversationId;
      const taskId = idIn(data.task_id) ?? stoppable;
      if (taskId !== undefined && taskId !== stoppable) {
        stoppable = taskId;
        attempt.onAbandon(() => stop(taskId));
      }
      const step = answer.read(data);
      if (step?.kind === 'delta') yield step;
      else if (step !== undefined) {
        stoppable = undefined;
        events.complete();
        attempt.onAbandon(undefined);
        if (step.kind === 'failed') return step;
        const memory = conversationId === undefined ? undefined : conversation.remember({ conversationId });
        return conclude(run, { ...step, memory });
      }
    }
    return failed('agent stopped answering before the end', true);
  } finally {
    // The answer is lost or refused, and another attempt begins a task of its own.
    if (stoppable !== undefined && !attempt.signal.aborted) {
      attempt.onAbandon(undefined);
      void stop(stoppable);
    }
  }
}
