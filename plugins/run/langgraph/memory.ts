import type { JsonObject, JsonValue, RunRequest } from '../../../src/contract/index.ts';

/** What a session remembers besides its thread, which the server keeps. */
export interface Memory {
  /** Ids of the interrupts that wait for an answer: there may be none of a graph that waits without telling. */
  readonly asked?: readonly string[];
  /** The run that has sent the answer. Should it fail, its next attempt sends it again, and the next run does not. */
  readonly answeredBy?: string;
  /** A run that the server was executing when it was last heard of. */
  readonly running?: { readonly run: string; readonly id: string };
}

/**
 * Reads what earlier runs left. It may be of another server or plugin that the trigger used before: that is nothing.
 * @param server stands for the server
 */
export function memoryOf({ session }: RunRequest, server: string): Memory {
  const stored = objectOf(session?.memory);
  const memory = stored.server === server ? stored : {};
  const { asked, answeredBy } = memory;
  const { run, id } = objectOf(memory.running);
  return {
    ...(Array.isArray(asked) && { asked: asked.filter((one) => typeof one === 'string') }),
    ...(typeof answeredBy === 'string' && { answeredBy }),
    ...(typeof run === 'string' && typeof id === 'string' && { running: { run, id } }),
  };
}

/** The interrupts that a run is to answer; undefined if it begins a new turn. */
export function pendingFor(run: RunRequest, { asked, answeredBy }: Memory): readonly string[] | undefined {
  return answeredBy === undefined || answeredBy === run.id ? asked : undefined;
}

export function asJson({ asked, answeredBy, running }: Memory, server: string): JsonObject {
  if (asked === undefined && running === undefined) return {};
  return {
    server,
    ...(asked && { asked }),
    ...(answeredBy !== undefined && { answeredBy }),
    ...(running && { running: { ...running } }),
  };
}

/** The value, if it is an object, else one without members. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
