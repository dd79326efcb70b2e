import { isFinal, type JsonValue, type MaybePromise, type PluginLog, type RunFailure } from '../../contract/index.ts';
import type { FailedAttempt, RunOutcome, RunRecord } from '../types/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { EndWriter } from './end-writer.ts';
import type { Notifications } from './notifications.ts';
import type { RunSlot } from './run-slot.ts';
import type { RunSlots } from './run-slots.ts';
import type { End, Store } from './store.ts';
import type { Clock } from './timers.ts';

export interface EndingParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: PluginLog;
  readonly slots: RunSlots;
  readonly dispatcher: Dispatcher;
  readonly writer: EndWriter;
  readonly notifications: Notifications;
  /** A run is final, and that is stored. */
  ended(run: RunRecord): void;
}

/** How a run ends. */
export interface RunEnd {
  readonly state: End['state'];
  readonly output?: JsonValue;
  readonly failure?: RunFailure;
  /** What the agent said of the failure. */
  readonly failureDetail?: string | undefined;
  /** What its session remembers from now on, as JSON; undefined: what it did before. */
  readonly memory?: string | undefined;
}

export type RetryOutcome = Extract<RunOutcome, { kind: 'retry' }>;

/** It may repeat any value of the input. */
export function keepsDetails({ policy }: RunSlot): boolean {
  return policy.keep === 'full' && policy.mask.length === 0;
}

/** Ends runs, or queues them for another attempt. A caller learns of an end once it is stored, never before. */
export class RunEndings {
  readonly #parts: EndingParts;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** As `Engine.wait`. The store delays an end only as long as there is no waiter. */
  wait(slot: RunSlot, timeoutMs: number, signal: AbortSignal | undefined): MaybePromise<RunRecord> {
    if (slot.isDecided && timeoutMs > 0) this.#parts.store.hurry();
    return slot.wait(timeoutMs, signal);
  }

  /** Makes a run final, without waiting until that is stored. */
  end(slot: RunSlot, end: RunEnd): void {
    this.#unattended(slot, this.ended(slot, end));
  }

  /** Makes a run final. Settles when that is stored or the engine has given up; at once if the store is synchronous. */
  ended(slot: RunSlot, { state, output, failure, failureDetail, memory }: RunEnd): MaybePromise<void> {
    const { store, clock, dispatcher, writer } = this.#parts;
    const { id, usage, cost } = slot.record;
    const finishedAt = clock.now();
    slot.enter('ending');
    dispatcher.remove(slot);
    const said = keepsDetails(slot) ? failureDetail : undefined;
    const stored = writer.end({ id, state, finishedAt, output, failure, failureDetail: said, memory, usage, cost });
    if (slot.isAwaited) store.hurry();
    // After the end in the store's order: the next run of the session must find what this one remembers.
    dispatcher.pump();
    if (stored instanceof Promise) {
      slot.memory.addOutput(output);
      return stored.then((end) => this.#leave(slot, end));
    }
    this.#leave(slot, stored);
  }

  /** The store has accepted the run, which may have become final meanwhile. */
  accepted(slot: RunSlot): void {
    slot.isAccepted = true;
    if (isFinal(slot.record.state)) this.#parts.ended(slot.record);
  }

  /** Queues a run for another attempt. */
  retry(slot: RunSlot, { message, delayMs, detail }: RetryOutcome, memory: string | undefined): void {
    const { clock, slots, dispatcher, writer } = this.#parts;
    const { id, attempt, acceptedAt, usage, cost, failedAttempts, startedAt = acceptedAt } = slot.record;
    const endedAt = clock.now();
    const said = detail !== undefined && keepsDetails(slot) && { detail };
    const failed: FailedAttempt = { attempt, startedAt, endedAt, message, ...said };
    const retryAt = endedAt + delayMs;
    const after = { state: 'queued', retryAt, failedAttempts: [...failedAttempts, failed], interruptions: 0 } as const;
    slot.record = { ...slot.record, ...after };
    slots.park(slot);
    dispatcher.pause(slot, delayMs);
    dispatcher.pump();
    slots.checkIdle();
    // If this is lost, the store shows a running attempt; the next start counts it as interrupted.
    this.#unattended(slot, writer.retry({ id, failed, retryAt, memory, usage, cost }));
  }

  /** @param end as stored; undefined if it never will be in this process */
  #leave(slot: RunSlot, end: End | undefined): void {
    if (end !== undefined) {
      const { id, state, finishedAt, output, failure, failureDetail } = end;
      slot.record = { ...slot.record, state, finishedAt, output, failure, failureDetail, retryAt: undefined };
      if (slot.isAccepted) this.#parts.ended(slot.record);
      if (slot.policy.notify) this.#parts.notifications.add({ id, attempts: 0, dueAt: finishedAt });
    }
    this.#parts.slots.remove(slot);
  }

  /** What goes wrong here is a bug or a fault of the store: the run is in the store and the next start resumes it. */
  #unattended({ record }: RunSlot, work: MaybePromise<void>): void {
    if (!(work instanceof Promise)) return;
    const { id: runId, requestId } = record;
    work.catch((err) => this.#parts.log.error({ err, runId, requestId }, 'the outcome of a run could not be stored'));
  }
}
