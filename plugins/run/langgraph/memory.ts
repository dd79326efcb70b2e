import type { JsonObject, RunRequest } from '../../../src/contract/index.ts';
import { type Conversation, membersOf } from '../../../src/run-kit/index.ts';

/** What a session remembers in addition to its thread, which the server keeps. */
export interface Memory {
  /** Ids of the interrupts that wait for an answer; empty if the graph waits without an id. */
  readonly asked?: readonly string[];
  /** The run that sent the answer. If it fails, its next attempt sends the answer again, and the next run does not. */
  readonly answeredBy?: string;
  /** A run that the server has begun for a run of the gateway. */
  readonly running?: { readonly run: string; readonly id: string };
}

/** Reads what earlier runs left. */
export function memoryOf({ session }: RunRequest, conversation: Conversation): Memory {
  const { asked, answeredBy, running } = conversation.recall(session?.memory);
  const { run, id } = membersOf(running);
  return {
    ...(Array.isArray(asked) && { asked: asked.filter((one) => typeof one === 'string') }),
    ...(typeof answeredBy === 'string' && { answeredBy }),
    ...(typeof run === 'string' && typeof id === 'string' && { running: { run, id } }),
  };
}

/** Returns the interrupts that a run answers; undefined if it begins a new turn. */
export function pendingFor(run: RunRequest, { asked, answeredBy }: Memory): readonly string[] | undefined {
  return answeredBy === undefined || answeredBy === run.id ? asked : undefined;
}

export function asJson({ asked, answeredBy, running }: Memory, conversation: Conversation): JsonObject {
  if (asked === undefined && running === undefined) return {};
  return conversation.remember({
    ...(asked && { asked }),
    ...(answeredBy !== undefined && { answeredBy }),
    ...(running && { running: { ...running } }),
  });
}
