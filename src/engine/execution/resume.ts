import type { FailedAttempt, RunRecord } from '../types/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import { maskedInput, stopped } from './failures.ts';
import type { RunEndings } from './run-endings.ts';
import { RunSlot } from './run-slot.ts';
import type { RunSlots } from './run-slots.ts';
import type { PendingRun } from './store.ts';
import type { Clock } from './timers.ts';

export interface ResumeParts {
  readonly slots: RunSlots;
  readonly dispatcher: Dispatcher;
  readonly endings: RunEndings;
  readonly clock: Clock;
}

/**
 * Queues the runs that an earlier process left, in the order of their acceptance (at-least-once: an attempt that was cut
 * short counts as failed and is followed by another one).
 */
export function resumeRuns(pending: readonly PendingRun[], { slots, dispatcher, endings, clock }: ResumeParts): void {
  for (const { record, policy, isMasked } of pending) {
    // Submitted to this process before its start.
    if (slots.get(record.id) !== undefined) continue;
    const interrupted = record.state === 'running' ? [interruption(record, clock.now())] : [];
    const failedAttempts = [...record.failedAttempts, ...interrupted];
    const slot = new RunSlot('queued', { ...record, state: 'queued', failedAttempts }, policy, undefined);
    slots.add(slot);
    dispatcher.enqueue(slot);
    if (isMasked) endings.end(slot, { state: 'failed', failure: maskedInput });
  }
}

function interruption({ attempt, acceptedAt, startedAt = acceptedAt }: RunRecord, endedAt: number): FailedAttempt {
  return { attempt, startedAt, endedAt, message: stopped.message };
}
