import type { Once } from '../engine/types/index.ts';

/**
 * What a bulk replay of a run takes, so that it is replayed once by whatever command. The scope is that of no trigger, whose ids
 * begin with a project. Stored: it must never change.
 */
export function replayOnce(runId: string): Once {
  return { scope: '/replays', fingerprint: runId };
}

/** What the firing of a recorded request takes. */
export function fireOnce(recordingId: string): Once {
  return { scope: '/fired', fingerprint: recordingId };
}
