import type { RecordedRun, RunRecord } from '../types/index.ts';

type EndedRun = Pick<
  RunRecord,
  'state' | 'acceptedAt' | 'startedAt' | 'finishedAt' | 'failedAttempts' | 'usage' | 'cost'
>;

/** What a run took; undefined while it has not ended. */
export function recordedRun(run: EndedRun): RecordedRun | undefined {
  const { state, acceptedAt, startedAt, finishedAt, failedAttempts, usage, cost } = run;
  if (finishedAt === undefined) return undefined;
  // A run that was cancelled while it was queued has only waited.
  const beganAt = failedAttempts[0]?.startedAt ?? startedAt ?? finishedAt;
  return {
    state,
    waitedMs: Math.max(0, beganAt - acceptedAt),
    durationMs: Math.max(0, finishedAt - beganAt),
    usage: usage && { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens },
    cost,
  };
}
