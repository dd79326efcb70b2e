import type { RunRequest } from '../../../src/contract/index.ts';
import { type Conversation, membersOf } from '../../../src/run-kit/index.ts';

/** What a session remembers for a run, in addition to its thread, which the server keeps. */
export interface Memory {
  /**
   * Ids of the interrupts that the run answers: empty if the graph waits without an id, undefined if the run begins a new
   * turn. If a run fails that sent the answer, its next attempt sends it again, and the next run does not.
   */
  readonly pending: readonly string[] | undefined;
  /** The id of the run that the server has begun for an earlier attempt. */
  readonly begun: string | undefined;
}

/** Reads what earlier runs and attempts left. */
export function memoryOf({ id: runId, session }: RunRequest, conversation: Conversation): Memory {
  const { asked, answeredBy = runId, running } = conversation.recall(session?.memory);
  const { run, id } = membersOf(running);
  const isPending = Array.isArray(asked) && answeredBy === runId;
  return {
    pending: isPending ? asked.filter((one) => typeof one === 'string') : undefined,
    begun: run === runId && typeof id === 'string' ? id : undefined,
  };
}
