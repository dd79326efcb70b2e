import type { MaybePromise } from '../../contract/index.ts';
import {
  type ActiveRun,
  type Claim,
  type EngineMemory,
  EngineUnavailable,
  type LimitCharge,
  type NewRun,
  queueIsFull,
  type Submission,
} from '../types/index.ts';
import type { Burst } from './bursts.ts';
import { BusySessions } from './busy-sessions.ts';
import type { Dispatcher } from './dispatcher.ts';
import { maskRun } from './masking.ts';
import { queuedRecord } from './records.ts';
import type { RunEndings } from './run-endings.ts';
import { RunMemory } from './run-memory.ts';
import { RunSlot } from './run-slot.ts';
import type { RunSlots } from './run-slots.ts';
import type { Store, StoredReplacement, StoredSubmission } from './store.ts';
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
  readonly #busy: BusySessions;

  constructor(parts: SubmissionParts) {
    this.#parts = parts;
    this.#busy = new BusySessions(parts);
  }

  submit(run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[]): MaybePromise<Submission> {
    const joined = run.debounce && this.#parts.dispatcher.bursts.find(run.debounce.key);
    if (run.debounce !== undefined && joined !== undefined) return this.#join(joined, run, claim, limits);
    const { conversation, onBusy } = run;
    if (conversation === undefined || onBusy === undefined) return this.#begin(run, claim, limits);
    const turn = this.#busy.turn(conversation);
    if (turn !== undefined) return turn.then(() => this.submit(run, claim, limits));
    return this.#busy.decide(run, conversation, claim, () => this.#begin(run, claim, limits));
  }

  #begin(run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[]): MaybePromise<Submission> {
    const { store, slots, dispatcher, clock, memory, maxQueued } = this.#parts;
    if (slots.get(run.id) !== undefined) throw new Error('a run with this id already exists');
    // Those that wait for their time may do so for hours, and must not keep out runs that could start at once.
    const isHeld = run.debounce !== undefined || run.startsAt !== undefined;
    const waiting = isHeld ? dispatcher.queued : dispatcher.waitingForPlace;
    if (waiting >= maxQueued) return { kind: 'unavailable', reason: queueIsFull };
    const stored = maskRun(run);
    const slot = new RunSlot('submitting', {
      record: queuedRecord(stored),
      policy: run.policy,
      memory: new RunMemory(memory),
      wholeInput: stored === run ? undefined : run.input,
      value: run.concurrencyValue,
    });
    slots.add(slot);
    const burst = run.debounce && dispatcher.bursts.startOf(run.debounce);
    if (burst === undefined) dispatcher.enqueue(slot);
    else dispatcher.bursts.begin(slot, burst, 1);
    const startedAt = burst === undefined && dispatcher.takePlace(slot) ? clock.now() : undefined;
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
      answer = store.submit(stored, claim, limits, startedAt, burst);
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
    const burst = this.#parts.dispatcher.bursts.of(slot);
    const submission: Submission =
      answer.kind === 'accepted'
        ? { kind: 'accepted', shadowed: answer.shadowed, burst: burst && standing(burst), ...this.active(slot) }
        : answer;
    if (answer.kind === 'accepted') this.#parts.endings.accepted(slot);
    // Otherwise it was cancelled or released before the store answered.
    if (!slot.isDecided) {
      if (answer.kind !== 'accepted') this.#forget(slot);
      else if (startedAt === undefined) waitForPlace(slot);
      else this.#parts.dispatcher.execute(slot, { attempt: 1, startedAt }, attemptOf(run, answer.memory));
    }
    if (burst !== undefined && !slot.isDecided) this.#parts.dispatcher.bursts.answered(burst, burst.startsAt);
    this.#parts.slots.submissionAnswered();
    return submission;
  }

  /** Replaces the input of the run that waits for the end of a burst. */
  #join(burst: Burst, run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[]): MaybePromise<Submission> {
    const { store, slots, dispatcher } = this.#parts;
    const { slot } = burst;
    const masked = maskRun(run);
    if (masked !== run && !slots.mayReplace(slot)) {
      return { kind: 'unavailable', reason: 'too many bytes of masked input are queued' };
    }
    const startsAt = dispatcher.bursts.join(burst, run.debounce?.waitMs ?? 0);
    const settle = (startedBy = burst.startsAt): void => {
      dispatcher.bursts.answered(burst, startedBy);
      slots.submissionAnswered();
    };
    const answered = (answer: StoredReplacement): MaybePromise<Submission> => {
      if (answer.kind === 'not_waiting') {
        // The run that it would have joined was refused.
        dispatcher.bursts.close(burst);
        settle();
        return this.submit(run, claim, limits);
      }
      if (answer.kind !== 'replaced') {
        settle();
        return answer;
      }
      // Otherwise it was cancelled or released before the store answered.
      if (!slot.isDecided) slots.replace(slot, masked, masked === run ? undefined : run.input);
      settle(startsAt);
      return { kind: 'accepted', shadowed: [], burst: standing(burst), ...this.active(slot) };
    };
    const failed = (error: unknown): Submission => {
      settle();
      return unstored(error);
    };
    slots.submissionBegins();
    let answer: MaybePromise<StoredReplacement>;
    try {
      answer = store.replace({ id: slot.record.id, run: masked, claim, startsAt });
    } catch (error) {
      return failed(error);
    }
    return answer instanceof Promise ? answer.then(answered, failed) : answered(answer);
  }

  #failed(slot: RunSlot, error: unknown): Submission {
    if (!slot.isDecided) this.#forget(slot);
    this.#parts.slots.submissionAnswered();
    return unstored(error);
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

/** The answer to a submission that the store rejected. Whatever is not an outage is a bug, and thrown. */
function unstored(error: unknown): Submission {
  if (EngineUnavailable.is(error)) return { kind: 'unavailable', reason: error.message };
  throw error;
}

function standing({ slot, startsAt }: Burst) {
  return { runId: slot.record.id, startsAt };
}

function attemptOf({ input, origin }: NewRun, memory: string | undefined) {
  return { input, origin, memory, checkpoint: undefined };
}

/** Unless it has been given a place before the store answered. */
function waitForPlace(slot: RunSlot): void {
  if (slot.phase === 'submitting') slot.enter('queued');
}
