import type { LiveTrigger } from './snapshot.ts';

/** Absolute path on the public listener at which a caller reads and cancels a run. */
export function statusUrl({ address }: LiveTrigger, runId: string): string {
  return `${address}/run/${runId}`;
}

/** Absolute path on the public listener to which an agent posts the result of a detached run. */
export function completionUrl(trigger: LiveTrigger, runId: string): string {
  return `${statusUrl(trigger, runId)}/completion`;
}
