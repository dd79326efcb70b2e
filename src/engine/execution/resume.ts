import type { RunFailure } from '../../contract/index.ts';
import type { EngineMemory } from '../types/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import { maskedInput, tooOftenInterrupted } from './failures.ts';
import type { RunEndings } from './run-endings.ts';
import { RunMemory } from './run-memory.ts';
import { RunSlot } from './run-slot.ts';
import type { RunSlots } from './run-slots.ts';
import type { PendingRun } from './store.ts';
import { suspectPauseMs } from './suspect-pause.ts';

export interface ResumeParts {
  readonly slots: RunSlots;
  readonly dispatcher: Dispatcher;
  readonly endings: RunEndings;
  /** After how many deaths of its process, each while it was executed, a run fails. */
  readonly maxInterruptions: number;
  readonly memory: EngineMemory;
}

/**
 * Queues the runs that an earlier process left, in the order of their acceptance (at-least-once: an attempt that was cut
 * short counts as failed and is followed by another one). Those that may have killed their process come last, after a pause,
 * and fail when they have been executed too often.
 */
export function resumeRuns(pending: readonly PendingRun[], parts: ResumeParts): void {
  const { slots, dispatcher, endings, memory } = parts;
  const levels = new Set<number>();
  for (const run of pending) {
    const { record, policy } = run;
    // Submitted to this process before its start.
    if (slots.get(record.id) !== undefined) continue;
    const slot = new RunSlot('queued', { record, policy, memory: new RunMemory(memory) });
    slots.add(slot);
    if (run.burst === undefined) dispatcher.enqueue(slot);
    else dispatcher.bursts.begin(slot, run.burst, 0);
    const failure = failureOf(run, parts);
    if (failure !== undefined) endings.end(slot, { state: 'failed', failure });
    else if (slot.isSuspect) levels.add(record.interruptions);
  }
  for (const interruptions of levels) dispatcher.openSuspects(interruptions, suspectPauseMs(interruptions));
}

/** Why a run must not be executed again. */
function failureOf({ record, isMasked }: PendingRun, { maxInterruptions }: ResumeParts): RunFailure | undefined {
  if (isMasked) return maskedInput;
  const { interruptions } = record;
  return interruptions >= maxInterruptions ? tooOftenInterrupted(interruptions) : undefined;
}
