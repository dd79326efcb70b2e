import type { Message, SendMessageRequest } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import { AgentFault } from './fault.ts';
import type { OpenStream } from './held-streams.ts';
import { type AgentEvent, checkedId, TaskAnswer } from './task-answer.ts';

/** How the agent took a message: it answered, or it began a task, of which more may come. */
export type Taken = { readonly contextId: string } & (
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'task'; readonly answer: TaskAnswer; readonly stream?: OpenStream }
);

/** Sends a message. Rejects with whatever the SDK throws. */
export async function sendMessage(client: Client, request: SendMessageRequest, signal: AbortSignal): Promise<Taken> {
  const result = await client.sendMessage(request, { signal });
  return 'messageId' in result ? takenAsMessage(result) : takenAsTask({ $case: 'task', value: result });
}

/** The same as a stream, which is left open after its first event if that began a task. */
export async function streamMessage(client: Client, request: SendMessageRequest, signal: AbortSignal): Promise<Taken> {
  const leaving = new AbortController();
  const close = (): void => leaving.abort();
  const events = client.sendMessageStream(request, { signal: AbortSignal.any([signal, leaving.signal]) });
  try {
    const first = await events.next();
    const payload = first.done ? undefined : first.value.payload;
    if (payload === undefined) throw new AgentFault('agent ended its answer before it began');
    if (payload.$case === 'message') {
      close();
      return takenAsMessage(payload.value);
    }
    const taken = takenAsTask(payload);
    return { ...taken, stream: { events, answer: taken.answer, close } };
  } catch (error) {
    close();
    throw error;
  }
}

function takenAsMessage(message: Message) {
  return { kind: 'message', message, contextId: checkedId(message.contextId) } as const;
}

function takenAsTask(event: AgentEvent) {
  const answer = new TaskAnswer();
  answer.apply(event);
  if (answer.id === '') throw new AgentFault('agent answered with a task that has no id');
  return { kind: 'task', answer, contextId: answer.contextId } as const;
}
