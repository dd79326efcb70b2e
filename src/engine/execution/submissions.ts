import type { MaybePromise } from '../../contract/index.ts';
import {
  type ActiveRun,
  type Claim,
  type EngineMemory,
  EngineUnavailable,
  type LimitCharge,
  type NewRun,
  type Submission,
} from '../types/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import { maskRun } from './masking.ts';
import { queuedRecord } from './records.ts';
import type { RunEndings } from './run-endings.ts';
import { RunMemory } from './run-memory.ts';
import { RunSlot } from './run-slot.ts';
import type { RunSlots } from './run-slots.ts';
import type { Store, StoredSubmission } from './store.ts';
import type { Clock } from './timers.ts';

export interface SubmissionParts {
  readonly store: Store;
  readonly slots: RunSlots;
  readonly dispatcher: Dispatcher;
  readonly endings: RunEndings;
  readonly clock: Clock;
  readonly memory: EngineMemory;
  /** How many runs may wait for a place; more are refused (backpressure). */
  readonly maxQueued: number;
}

/**
 * Accepts runs. One that can start at once is stored as running, so that there is only one commit before its agent is
 * called. Answers synchronously when the store does.
 */
export class Submissions {
  readonly #parts: SubmissionParts;

  constructor(parts: SubmissionParts) {
    this.#parts = parts;
  }

  submit(run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[]): MaybePromise<Submission> {
    const { store, slots, dispatcher, clock, memory, maxQueued } = this.#parts;
    if (slots.get(run.id) !== undefined) throw new Error('a run with this id already exists');
    if (dispatcher.queued >= maxQueued) return { kind: 'unavailable', reason: 'too many queued runs' };
    const stored = maskRun(run);
    const slot = new RunSlot('submitting', {
      record: queuedRecord(stored),
      policy: run.policy,
      memory: new RunMemory(memory),
      wholeInput: stored === run ? undefined : run.input,
    });
    slots.add(slot);
    dispatcher.enqueue(slot);
    const startedAt = dispatcher.takePlace(slot) ? clock.now() : undefined;
    slot.memory.submit(run, startedAt !== undefined);
    if (startedAt === undefined) {
      if (!slots.mayPark(slot)) {
        this.#forget(slot);
        return { kind: 'unavailable', reason: 'too many bytes of masked input are queued' };
      }
      slots.park(slot);
    }
    slots.submissionBegins();
    let answer: MaybePromise<StoredSubmission>;
    try {
      answer = store.submit(stored, claim, limits, startedAt);
    } catch (error) {
      return this.#failed(slot, error);
    }
    if (answer instanceof Promise) {
      return answer.then(
        (submission) => this.#answered(slot, stored, startedAt, submission),
        (error) => this.#failed(slot, error),
      );
    }
    return this.#answered(slot, stored, startedAt, answer);
  }

  #answered(slot: RunSlot, run: NewRun, startedAt: number | undefined, answer: StoredSubmission): Submission {
    const submission: Submission =
      answer.kind === 'accepted' ? { kind: 'accepted', shadowed: answer.shadowed, ...this.active(slot) } : answer;
    // Otherwise it was cancelled or released before the store answered.
    if (!slot.isDecided) {
      if (answer.kind !== 'accepted') this.#forget(slot);
      else if (startedAt === undefined) waitForPlace(slot);
      else this.#parts.dispatcher.execute(slot, { attempt: 1, startedAt }, attemptOf(run, answer.memory));
    }
    this.#parts.slots.submissionAnswered();
    return submission;
  }

  #failed(slot: RunSlot, error: unknown): Submission {
    if (!slot.isDecided) this.#forget(slot);
    this.#parts.slots.submissionAnswered();
    if (EngineUnavailable.is(error)) return { kind: 'unavailable', reason: error.message };
    throw error;
  }

  /** A run as its submitter, and others that find it while it is active, see it. */
  active(slot: RunSlot): ActiveRun {
    return {
      wait: (timeoutMs, signal) => this.#parts.endings.wait(slot, timeoutMs, signal),
      deltas: (after, signal) => slot.deltas(after, signal),
    };
  }

  /** Undoes the submission of a run that was never stored. */
  #forget(slot: RunSlot): void {
    const { slots, dispatcher } = this.#parts;
    slots.remove(slot);
    dispatcher.remove(slot);
    dispatcher.pump();
  }
}

function attemptOf({ input, origin }: NewRun, memory: string | undefined) {
  return { input, origin, memory, checkpoint: undefined };
}

/** Unless it has been given a place before the store answered. */
function waitForPlace(slot: RunSlot): void {
  if (slot.phase === 'submitting') slot.enter('queued');
}
