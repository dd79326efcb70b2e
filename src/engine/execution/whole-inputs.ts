import type { TriggerInput } from '../../contract/index.ts';

/** How much memory the inputs may take that only this process has, in bytes of JSON. */
const maxBytes = 64 * 1024 * 1024;

/**
 * The whole inputs of runs that have masks, by run: the store has them masked only. Kept as JSON, since objects take several times
 * as much memory.
 */
export class WholeInputs {
  readonly #texts = new Map<string, string>();
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
  mayReplace(runId: string): boolean {
    return this.#bytes - Buffer.byteLength(this.#texts.get(runId) ?? '') < this.#maxBytes;
  }

  get runIds(): readonly string[] {
    return [...this.#texts.keys()];
  }

  has(runId: string): boolean {
    return this.#texts.has(runId);
  }

  /** Keeps the input of a run, in place of an earlier one. */
  keep(runId: string, input: TriggerInput): void {
    this.drop(runId);
    const text = JSON.stringify(input);
    this.#texts.set(runId, text);
    this.#bytes += Buffer.byteLength(text);
  }

  /** The input of a run, if it is kept. */
  read(runId: string): TriggerInput | undefined {
    const text = this.#texts.get(runId);
    return text === undefined ? undefined : JSON.parse(text);
  }

  drop(runId: string): void {
    const text = this.#texts.get(runId);
    if (text === undefined) return;
    this.#texts.delete(runId);
    this.#bytes -= Buffer.byteLength(text);
  }
}
