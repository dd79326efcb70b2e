import type { DetachedRun, FinalRunResult, RunRequest } from '../../../src/contract/index.ts';
import {
  type AgentAttempt,
  type AgentClient,
  AgentFault,
  failed,
  poll,
  type Seen,
} from '../../../src/run-kit/index.ts';
import type { ConcludeExchange } from './answer.ts';
import type { Turn } from './exchange.ts';
import { refusalIn } from './failures.ts';
import { type ResponseMemory, responseIdOf } from './response-memory.ts';
import { isUnfinished, responseAnswer } from './responses.ts';

/** Responses that the endpoint works on without a connection. */
export function responsesInBackground(agent: AgentClient, conclude: ConcludeExchange, memory: ResponseMemory) {
  const cancel = (run: RunRequest, responseId: string): Promise<void> =>
    agent
      .forRun(run)
      .notify({ path: `${pathOf(responseId)}/cancel` }, 'a response could not be cancelled', { runId: run.id });
  return {
    cancel,

    async begin(run: RunRequest, turn: Turn, attempt: AgentAttempt): Promise<FinalRunResult | DetachedRun> {
      // Lingers: a response that was begun can only be cancelled once its id is known.
      const response = await agent.forRun(run).send({ path: turn.path, body: turn.body(false) }, attempt.lingering);
      const refusal = await refusalIn(response);
      if (refusal !== undefined) return turn.failureOf(refusal);
      const begun = await response.json();
      // Some endpoints ignore `background`, and have answered.
      if (!isUnfinished(begun)) return conclude(run, responseAnswer(begun), memory.after);
      const responseId = responseIdOf(begun, 'id');
      if (responseId === undefined) return failed('agent began a response that has no id');
      attempt.onAbandon(() => cancel(run, responseId));
      return { kind: 'detached', handle: memory.handleOf(responseId) };
    },

    /** Polls a response until it is complete. */
    finish(run: RunRequest, responseId: string, attempt: AgentAttempt): Promise<FinalRunResult> {
      return poll(attempt, {}, async (signal): Promise<Seen<FinalRunResult>> => {
        const response = await agent.forRun(run).send({ method: 'GET', path: pathOf(responseId) }, signal);
        const refusal = await refusalIn(response);
        if (refusal?.status === 404) {
          return { result: failed('agent no longer knows the response that it worked on', true) };
        }
        if (refusal !== undefined) throw new AgentFault(refusal.failure);
        const seen = await response.json();
        return isUnfinished(seen) ? {} : { result: await conclude(run, responseAnswer(seen), memory.after) };
      });
    },
  };
}

/** An id may have slashes. */
function pathOf(responseId: string): string {
  return `/responses/${encodeURIComponent(responseId)}`;
}
