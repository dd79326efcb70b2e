import type { RunSlot } from './run-slot.ts';
import { WholeInputs } from './whole-inputs.ts';

/** The whole inputs of runs that have masks and wait for an attempt. Other inputs are in the store alone while their runs wait. */
export class MaskedInputs {
  readonly #inputs: WholeInputs;

  constructor(maxBytes?: number) {
    this.#inputs = new WholeInputs(maxBytes);
  }

  /** Whether the inputs that are kept leave room for more. */
  get hasRoom(): boolean {
    return this.#inputs.hasRoom;
  }

  /** Whether there is room for another input of this run, in place of the one that is kept. */
  mayReplace({ record }: RunSlot): boolean {
    return this.#inputs.mayReplace(record.id);
  }

  /** Keeps the whole input of a run that has to wait, if it has masks. */
  keep(slot: RunSlot): void {
    if (slot.wholeInput === undefined) return;
    this.#inputs.keep(slot.record.id, slot.wholeInput);
    slot.wholeInput = undefined;
  }

  /** Gives a run its whole input back for an attempt. */
  restore(slot: RunSlot): void {
    const input = this.#inputs.read(slot.record.id);
    if (input === undefined) return;
    this.drop(slot);
    slot.wholeInput = input;
  }

  /** The run has ended. */
  drop({ record }: RunSlot): void {
    this.#inputs.drop(record.id);
  }
}
