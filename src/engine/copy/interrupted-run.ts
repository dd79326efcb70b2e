import { died, stopped } from '../execution/failures.ts';
import type { RunRecord } from '../types/index.ts';

/** A run that was being executed when its gateway ended, queued again: as that gateway's next start would have done. */
export function interruptedRun(
  record: RunRecord,
  { hasStopped, now }: { hasStopped: boolean; now: number },
): RunRecord {
  const { attempt, startedAt, acceptedAt, failedAttempts, interruptions } = record;
  const message = hasStopped ? stopped.message : died;
  return {
    ...record,
    state: 'queued',
    failedAttempts: [...failedAttempts, { attempt, startedAt: startedAt ?? acceptedAt, endedAt: now, message }],
    interruptions: interruptions + (hasStopped ? 0 : 1),
  };
}
