import type { RunDelta, RunPosition } from '../../contract/index.ts';

/** How much text is buffered for slow and late consumers, in UTF-16 units. */
const maxBuffered = 128 * 1024;

const start: RunPosition = { attempt: 0, offset: 0 };

/**
 * The text that the latest attempt of a run has streamed: one bounded buffer that all consumers share, each with a position
 * of its own. Emitting never waits for consumers: slow ones receive coalesced deltas, and once the buffer is full the
 * oldest text is dropped.
 */
export class DeltaLog {
  #attempt = 0;
  #text = '';
  /** The position of the first buffered character. */
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
    // Half of the buffer is dropped at once, so that a long answer does not copy it with each piece.
    if (this.#text.length > maxBuffered) this.#dropHead(this.#text.length - maxBuffered / 2);
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** Streams what follows a position. Ends with the log, or when the signal aborts. */
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

  #dropHead(length: number): void {
    // A surrogate pair is not split.
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
