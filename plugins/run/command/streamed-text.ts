import type { FinalRunResult, Progress } from '../../../src/contract/index.ts';

/** Publishes what a program writes on stdout, so that the pieces together are the output of its run. */
export class StreamedText {
  readonly #progress: Progress;
  /** Holds the bytes of a character back until it is whole. */
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** A line ending, which is not a part of the output if it turns out to be the last. */
  #held = '';
  #length = 0;
  #isText = true;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  write(chunk: Buffer): void {
    if (!this.#isText) return;
    try {
      const text = this.#held + this.#decoder.decode(chunk, { stream: true });
      this.#held = /\r?\n$|\r$/.exec(text)?.[0] ?? '';
      this.#emit(text.slice(0, text.length - this.#held.length));
    } catch {
      // Not UTF-8: the run fails when the program has ended.
      this.#isText = false;
    }
  }

  /** Publishes what was held back of the output. */
  end(result: FinalRunResult): void {
    if (result.kind === 'succeeded' && typeof result.output === 'string') this.#emit(result.output.slice(this.#length));
  }

  #emit(text: string): void {
    if (text === '') return;
    this.#length += text.length;
    this.#progress.emit({ kind: 'delta', text });
  }
}
