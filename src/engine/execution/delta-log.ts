import type { RunDelta, RunPosition } from '../../contract/index.ts';

/** How much of what a run tells is kept for those who read slowly or come later, in UTF-16 units. */
const mostKept = 128 * 1024;

const start: RunPosition = { attempt: 0, offset: 0 };

/**
 * What a run has told in its latest attempt: one text that all its readers share, each at a place of their own. Nobody
 * is waited for: the head of the text goes when it becomes too long.
 */
export class DeltaLog {
  #attempt = 0;
  #text = '';
  /** Where the kept text begins. */
  #offset = 0;
  #isEnded = false;
  readonly #wakers = new Set<() => void>();

  append(attempt: number, text: string): void {
    if (attempt !== this.#attempt) {
      this.#attempt = attempt;
      this.#text = '';
      this.#offset = 0;
    }
    this.#text += text;
    // Cut in halves, so that a long answer does not move all of it with each piece.
    if (this.#text.length > mostKept) this.#cutHead(this.#text.length - mostKept / 2);
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** What comes after a position, as it comes. Ends with the log, or when the signal aborts. */
  async *read(after = start, signal?: AbortSignal): AsyncGenerator<RunDelta> {
    let { attempt, offset } = after;
    for (;;) {
      const delta = this.#after(attempt, offset);
      if (signal?.aborted) return;
      if (delta !== undefined) {
        yield delta;
        ({ attempt } = delta);
        offset = delta.offset + delta.text.length;
      } else if (this.#isEnded) {
        return;
      } else {
        await this.#change(signal);
      }
    }
  }

  #after(attempt: number, offset: number): RunDelta | undefined {
    if (attempt > this.#attempt) return undefined;
    const from = attempt < this.#attempt ? this.#offset : Math.max(offset, this.#offset);
    const text = this.#text.slice(from - this.#offset);
    return text === '' ? undefined : { attempt: this.#attempt, offset: from, text };
  }

  #cutHead(length: number): void {
    // A pair of surrogates stays together.
    const isPair = /[\uDC00-\uDFFF]/.test(this.#text.charAt(length));
    const cut = isPair ? length + 1 : length;
    this.#text = this.#text.slice(cut);
    this.#offset += cut;
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        this.#wakers.delete(wake);
        resolve();
      };
      signal?.addEventListener('abort', wake);
      this.#wakers.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}
