import {
  type DetachedRun,
  type FailedRunResult,
  type FinalRunResult,
  OutboundError,
  type PluginContext,
  type RunEvent,
  type RunRequest,
} from '../../../src/contract/index.ts';
import { aborted } from '../deadline.ts';
import { failed } from '../failed.ts';
import { isCancellation } from '../legacy-signal.ts';
import { createMapping } from '../mapping.ts';
import { readRest } from '../read-rest.ts';
import { streamWithinDeadline } from '../stream-deadline.ts';
import { untilAborted } from '../until-aborted.ts';
import { type Answered, chatAnswer, workflowAnswer } from './answer.ts';
import { eventsOf } from './events.ts';
import { idIn, memoryOf } from './memory.ts';
import type { Message } from './message.ts';
import type { Options } from './options.gen.ts';
import { refusalIn } from './refusal.ts';
import type { Service } from './service.ts';
import type { StopTask } from './stop-task.ts';

/** Sends a message and gives the answer piece by piece. */
export type Talk = (
  run: RunRequest,
  message: Message,
  signal: AbortSignal,
) => AsyncGenerator<RunEvent, FinalRunResult | DetachedRun, undefined>;

export function createTalk(context: PluginContext, options: Options, service: Service, stopTask: StopTask): Talk {
  const { client, headers } = service;
  const isWorkflow = options.app === 'workflow';
  const address = service.at(isWorkflow ? 'workflows/run' : 'chat-messages');
  const outputOf = options.output === undefined ? undefined : createMapping(context, '/output', options.output);

  async function resultOf(
    { event, output, usage }: Answered,
    run: RunRequest,
    conversationId: string | undefined,
  ): Promise<FinalRunResult> {
    const isRemembered = run.session !== undefined && conversationId !== undefined;
    // It has answered, whatever the expression comes to: the conversation goes on with this, and the tokens are spent.
    const remains = { ...(isRemembered && { memory: memoryOf(conversationId) }), ...(usage && { usage }) };
    const mapped = await outputOf?.apply(event, run);
    if (mapped === undefined) return { kind: 'succeeded', output, ...remains };
    if (!mapped.ok) return { ...mapped.failure, ...remains };
    return { kind: 'succeeded', output: mapped.value ?? null, ...remains };
  }

  async function* exchange(
    run: RunRequest,
    message: Message,
    signal: AbortSignal,
    isGivenUp: () => boolean,
  ): ReturnType<Talk> {
    const connection = new AbortController();
    const cut = (): void => connection.abort();
    signal.addEventListener('abort', cut, { once: true });
    const answer = isWorkflow ? workflowAnswer() : chatAnswer();
    const body = JSON.stringify(message.body);
    let { conversationId } = message;
    let taskId: string | undefined;
    let isEnded = false;
    try {
      const request = { method: 'POST', headers, body, signal: connection.signal } as const;
      const response = await untilAborted(connection.signal, client.request(address, request));
      const refusal = await refusalIn(response, conversationId);
      if (refusal !== undefined) return refusal;
      const events = eventsOf(response.body);
      for (;;) {
        const { done, value } = await events.next();
        if (done) return value === undefined ? cutOff : failed(`agent answered with ${value}`);
        taskId = idIn(value.task_id) ?? taskId;
        conversationId = idIn(value.conversation_id) ?? conversationId;
        const step = answer.read(value);
        if (step?.kind === 'delta') yield step;
        else if (step !== undefined) {
          isEnded = true;
          void readRest(events, cut);
          return step.kind === 'failed' ? step : await resultOf(step, run, conversationId);
        }
      }
    } catch (error) {
      return connectionFailure(error, signal);
    } finally {
      if (!isEnded) {
        cut();
        // Dify does not mind that the connection is cut: what nobody waits for would go on, and cost tokens.
        if (taskId !== undefined && isGivenUp()) stopTask(taskId, message.user);
      }
    }
  }

  return (run, message, signal) => {
    // The next start of a gateway that only stops goes on with the run.
    const isGivenUp = (): boolean => !signal.aborted || isCancellation(signal);
    return streamWithinDeadline(options.timeout, signal, (exchangeSignal) =>
      exchange(run, message, exchangeSignal, isGivenUp),
    );
  };
}

const cutOff: FailedRunResult = {
  kind: 'failed',
  message: 'agent stopped answering before the end',
  retryable: true,
};

function connectionFailure(error: unknown, signal: AbortSignal): FailedRunResult {
  if (signal.aborted) return aborted;
  const known = OutboundError.from(error);
  if (known === undefined) throw error;
  return { kind: 'failed', message: known.message, retryable: known.retryable };
}
