import type { RunSlot } from './run-slot.ts';

/** How much memory the inputs may take that only this process has, in bytes of JSON. */
const maxBytes = 64 * 1024 * 1024;

/**
 * The whole inputs of runs that have masks and wait for an attempt. Other inputs are in the store alone while their runs wait.
 * Kept as JSON, since objects take several times as much memory.
 */
export class MaskedInputs {
  readonly #texts = new Map<RunSlot, string>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(most = maxBytes) {
    this.#maxBytes = most;
  }

  /** Whether the inputs that are kept leave room for more. */
  get hasRoom(): boolean {
    return this.#bytes < this.#maxBytes;
  }

  /** Whether there is room for another input of this run, in place of the one that is kept. */
  mayReplace(slot: RunSlot): boolean {
    return this.#bytes - Buffer.byteLength(this.#texts.get(slot) ?? '') < this.#maxBytes;
  }

  /** Keeps the whole input of a run that has to wait, if it has masks. */
  keep(slot: RunSlot): void {
    if (slot.wholeInput === undefined) return;
    const text = JSON.stringify(slot.wholeInput);
    slot.wholeInput = undefined;
    this.drop(slot);
    this.#texts.set(slot, text);
    this.#bytes += Buffer.byteLength(text);
  }

  /** Gives a run its whole input back for an attempt. */
  restore(slot: RunSlot): void {
    const text = this.#texts.get(slot);
    if (text === undefined) return;
    this.drop(slot);
    slot.wholeInput = JSON.parse(text);
  }

  /** The run has ended. */
  drop(slot: RunSlot): void {
    const text = this.#texts.get(slot);
    if (text === undefined) return;
    this.#texts.delete(slot);
    this.#bytes -= Buffer.byteLength(text);
  }
}
