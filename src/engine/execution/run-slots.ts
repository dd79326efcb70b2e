import type { TriggerInput } from '../../contract/index.ts';
import type { NewRun } from '../types/index.ts';
import { MaskedInputs } from './masked-inputs.ts';
import { replacedRecord } from './records.ts';
import type { RunSlot } from './run-slot.ts';
import { longestTimerMs } from './timers.ts';

/** Runs that are not final, and those whose end is not stored yet, by id. Knows when none of them needs the engine. */
export class RunSlots {
  readonly #slots = new Map<string, RunSlot>();
  readonly #masked: MaskedInputs;
  /** Submissions that the store has not answered; their runs may have a place already. */
  #unanswered = 0;
  #whenIdle: (() => void) | undefined;

  constructor(maxMaskedBytes?: number) {
    this.#masked = new MaskedInputs(maxMaskedBytes);
  }

  get(id: string): RunSlot | undefined {
    return this.#slots.get(id);
  }

  add(slot: RunSlot): void {
    this.#slots.set(slot.record.id, slot);
  }

  /** Whether another run may wait: those with masks keep their whole input in memory. */
  mayPark(slot: RunSlot): boolean {
    return slot.wholeInput === undefined || this.#masked.hasRoom;
  }

  /** A run waits for an attempt: only the store has its input and origin until then. */
  park(slot: RunSlot): void {
    slot.record = { ...slot.record, input: undefined, origin: undefined };
    this.#masked.keep(slot);
  }

  /** Whether a run that waits may get another input that is masked. */
  mayReplace(slot: RunSlot): boolean {
    return this.#masked.mayReplace(slot);
  }

  /**
   * A run that waits gets the input of another one of its burst.
   * @param wholeInput the input before masking, if the run has masks
   */
  replace(slot: RunSlot, run: NewRun, wholeInput: TriggerInput | undefined): void {
    slot.record = replacedRecord(slot.record, run);
    slot.policy = run.policy;
    slot.memory.replace(run);
    slot.wholeInput = wholeInput;
    this.#masked.drop(slot);
    this.park(slot);
  }

  /** An attempt of the run begins. */
  unpark(slot: RunSlot): void {
    this.#masked.restore(slot);
  }

  /** Removes a run, and answers everyone who waits for it. */
  remove(slot: RunSlot): void {
    this.#slots.delete(slot.record.id);
    this.#masked.drop(slot);
    slot.leave();
    this.checkIdle();
  }

  submissionBegins(): void {
    this.#unanswered += 1;
  }

  submissionAnswered(): void {
    this.#unanswered -= 1;
    this.checkIdle();
  }

  /** Runs that can still be cancelled, failed or released. */
  undecided(): readonly RunSlot[] {
    return [...this.#slots.values()].filter(({ isDecided }) => !isDecided);
  }

  /** Resolves when nothing is being stored or executed, or after `timeoutMs`. Called once. */
  async idle(timeoutMs: number): Promise<void> {
    if (!(timeoutMs > 0) || this.#isIdle()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(timeoutMs, longestTimerMs));
      this.#whenIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the wait of `idle`. */
  stopWaiting(): void {
    this.#whenIdle?.();
  }

  /** To be called when a run has become less busy. */
  checkIdle(): void {
    if (this.#whenIdle !== undefined && this.#isIdle()) this.#whenIdle();
  }

  #isIdle(): boolean {
    if (this.#unanswered > 0) return false;
    for (const { isBusy } of this.#slots.values()) if (isBusy) return false;
    return true;
  }
}
